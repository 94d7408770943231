"""Work on the quality of interviews for a worker: ids in, nothing out, harmless when run twice."""

from datetime import datetime

from callcenter.base.db import open_session
from surveys import quality_measuring


def measure(since: str | None) -> None:
    """Measure every interview that ended since then (ISO time; None: ever), a transaction a batch."""
    moment = datetime.fromisoformat(since) if since else None
    while True:
        with open_session() as session:
            number = quality_measuring.measure_batch(session, moment)
            session.commit()
        if number < quality_measuring.BATCH:
            return
