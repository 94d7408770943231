"""Jobs of imports: inspect an uploaded file, run an import. Both carry the batch's id and are harmless twice."""

import logging
import os
import socket
from datetime import timedelta

from sqlalchemy.orm import Session

from callcenter import import_preview, imports
from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, Refused

log = logging.getLogger(__name__)


def inspect_import(import_id: int) -> None:
    """Parse the head of an uploaded file for its mapping page."""
    with open_session() as session:
        import_preview.keep(session, import_id)
        batch = imports.get(session, import_id)
        if batch.state == "failed":
            imports.forget_file(batch)
        session.commit()


def run_import(import_id: int) -> None:
    """Stage and merge a batch that somebody has started, a commit a chunk; what a dead worker left is done afresh."""
    with open_session() as session:
        batch = imports.get(session, import_id)
        if batch.state != "running" or not _hold(session, import_id, imports.LEASE):
            return
        session.commit()
        try:
            _work(session, import_id)
        except InvalidInput as fault:
            session.rollback()
            imports.fail(session, import_id, fault)
        except Refused as refused:
            session.rollback()
            log.info("import %d: %s", import_id, refused.code)
            if refused.code == "cancelled":
                imports.clean_up(session, import_id)
        state = imports.get(session, import_id).state
        if state != "running":
            leases.release(session, f"import/{import_id}", _holder())
        if state not in ("running", "mapping"):  # after a trial the person decides, and needs the file
            imports.forget_file(batch)
        session.commit()


def _work(session: Session, import_id: int) -> None:
    for _done in imports.stage(session, import_id):
        if not _hold(session, import_id, imports.LEASE):
            raise Refused("lease_lost", "Another worker has taken this import over.")
        session.commit()
    _hold(session, import_id, imports.MERGE_LEASE)
    session.commit()
    counts = imports.merge(session, import_id)
    session.commit()
    log.info("import %d: %d rows, %d created", import_id, counts["rows"], counts["created"])


def _hold(session: Session, import_id: int, life: timedelta) -> bool:
    """Be, or stay, the one worker of this import."""
    return leases.take(session, f"import/{import_id}", _holder(), life.total_seconds()) is not None


def _holder() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
