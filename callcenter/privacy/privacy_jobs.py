"""Work of privacy for a worker: public requests, exports of one person, the purge. Harmless when run twice."""

import logging
import os
import socket
import time

from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.privacy import person_exports, public_requests, retention

log = logging.getLogger(__name__)
SECONDS = 300.0  # that one job purges; the clock asks for the next
LEASE = 120.0  # seconds, renewed at each step


def do_public_request(request_id: int) -> None:
    """Do what somebody asked for on the public page."""
    with open_session() as session:
        public_requests.do(session, request_id)
        session.commit()


def make_export(export_id: int) -> None:
    """Make one person's export."""
    with open_session() as session:
        draft = person_exports.gather(session, export_id)
        session.commit()
        if draft is not None:
            person_exports.finish(session, draft, person_exports.packed(draft))
            session.commit()


def purge(seconds: float = SECONDS) -> None:
    """Purge what is due, a commit a step, for as long as `seconds`; one worker at a time."""
    until, holder = time.monotonic() + seconds, f"{socket.gethostname()}-{os.getpid()}"
    with open_session() as session:
        for kind in retention.kinds():
            count = -1
            while count and time.monotonic() < until:
                if leases.take(session, "retention", holder, LEASE) is None:
                    return
                count = retention.purge_some(session, kind)
                session.commit()
                log.info("retention: %d of %s", count, kind)
        leases.release(session, "retention", holder)
        session.commit()


def sweep() -> None:
    """What was asked for and whose job is gone is asked for again; what is due to be purged is handed to a worker."""
    with open_session() as session:
        public_requests.sweep(session)
        person_exports.sweep(session)
        session.commit()


def sweep_retention() -> None:
    """Hand what is due to be purged to a worker."""
    with open_session() as session:
        retention.sweep(session)
        session.commit()
