"""Work on the quality of interviews for a worker: ids in, nothing out, harmless when run twice."""

import logging
from datetime import datetime
from uuid import UUID

from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.sound import recording_files
from surveys.checks import quality_measuring
from surveys.coding import transcription
from surveys.fieldwork.interview_ledger import Interview

log = logging.getLogger(__name__)


def measure(since: str | None) -> None:
    """Measure every interview that ended since then (ISO time; None: ever), a transaction a batch."""
    moment = datetime.fromisoformat(since) if since else None
    while True:
        with open_session() as session:
            number = quality_measuring.measure_batch(session, moment)
            session.commit()
        if number < quality_measuring.BATCH:
            return


def transcribe(voice_id: str) -> None:
    """Have a program write one voice down; no transaction is open while it listens. What fails is tried again."""
    number = UUID(voice_id)
    with open_session() as session:
        voice = transcription.claim(session, number)
        if voice is None or transcription.transcriber() is None:
            return
        kind, size = voice.storage or "", voice.size or 0
        language = session.get_one(Interview, voice.interview_id).language
        session.commit()
    try:
        words = transcription.written(recording_files.storage(kind).read(number, 0, size), language)
    except ProviderError as error:
        log.warning("voice %s: %s", number, error.code)
        return
    with open_session() as session:
        transcription.keep(session, number, words)
        session.commit()
