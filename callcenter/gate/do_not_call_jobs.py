"""The job that loads a file of the register; it carries the file's id and is harmless twice."""

import logging
import os
import socket
from pathlib import Path

from sqlalchemy.orm import Session

from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput
from callcenter.gate import do_not_call

log = logging.getLogger(__name__)


def load(list_id: int) -> None:
    """Load the file, or say why it cannot be read. What a dead worker left is rolled back and done afresh."""
    name, holder = f"do-not-call/{list_id}", f"{socket.gethostname()}-{os.getpid()}"
    with open_session() as news, open_session() as session:
        row = do_not_call.get(news, list_id)
        is_taken = leases.take(news, name, holder, do_not_call.LEASE.total_seconds()) is None
        if row.state not in do_not_call.OPEN_STATES or is_taken:
            return
        news.commit()
        try:
            for done in do_not_call.load(session, list_id):
                do_not_call.note_progress(news, list_id, done)
                leases.take(news, name, holder, do_not_call.LEASE.total_seconds())
                news.commit()
        except InvalidInput as fault:
            session.rollback()
            do_not_call.fail(session, list_id, fault)
        _finish(session, list_id)
        leases.release(news, name, holder)
        news.commit()


def _finish(session: Session, list_id: int) -> None:
    row = do_not_call.get(session, list_id)
    path, row.path = row.path, None
    session.commit()
    if path:
        Path(path).unlink(missing_ok=True)
    log.info("do-not-call %d: %s, %s new phones, %s rows refused", list_id, row.state, row.phones, row.refused)
