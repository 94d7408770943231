"""Jobs of territorial imports: look at a file, write it. Both carry the batch's id and are harmless twice."""

import logging
import os
import socket

from sqlalchemy.orm import Session

from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput
from callcenter.places import territory_batches
from callcenter.tables.file_faults import N_, UNFORESEEN, UnreadableFileError

log = logging.getLogger(__name__)


def inspect_territory(batch_id: int) -> None:
    """Recognise an uploaded file and count its rows and faults."""
    with open_session() as session:
        try:
            territory_batches.inspect(session, batch_id)
            session.flush()
        except UNFORESEEN as error:
            session.rollback()
            territory_batches.fail(session, batch_id, _unread(batch_id, error))
        batch = territory_batches.get(session, batch_id)
        if batch.state == "failed":
            territory_batches.forget_file(batch)
        session.commit()


def run_territory(batch_id: int) -> None:
    """Write a batch that somebody has started: all of it, or nothing and the reason."""
    with open_session() as session:
        if territory_batches.get(session, batch_id).state != "running" or not _hold(session, batch_id):
            return
        session.commit()
        try:
            territory_batches.run(session, batch_id, lambda rows: _tell(batch_id, rows))
            session.commit()
        except InvalidInput as fault:
            session.rollback()
            territory_batches.fail(session, batch_id, fault)
        except UNFORESEEN as error:
            session.rollback()
            territory_batches.fail(session, batch_id, _unread(batch_id, error))
        batch = territory_batches.get(session, batch_id)
        territory_batches.forget_file(batch)
        leases.release(session, f"territory/{batch_id}", _holder())
        session.commit()
        log.info("territory %d: %s", batch_id, batch.state)


def _unread(batch_id: int, error: BaseException) -> UnreadableFileError:
    """The sentence for a failure that nobody foresaw; the log gets its kind, not its words."""
    log.error("territory %d: %s", batch_id, type(error).__name__)
    return UnreadableFileError(
        N_("The file could not be read to its end; nothing of it was kept. Check it, or export it again.")
    )


def _tell(batch_id: int, rows: int) -> None:
    """Progress is told in a transaction of its own: that of the rows is not over."""
    with open_session() as session:
        _hold(session, batch_id)
        territory_batches.note_progress(session, batch_id, rows)
        session.commit()


def _hold(session: Session, batch_id: int) -> bool:
    """Be, or stay, the one worker of this batch."""
    seconds = territory_batches.LEASE.total_seconds()
    return leases.take(session, f"territory/{batch_id}", _holder(), seconds) is not None


def _holder() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
