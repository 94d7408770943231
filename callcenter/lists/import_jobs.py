"""Jobs of imports: inspect an uploaded file, run an import, take one back. All carry the batch's id and are harmless
twice; after a dead worker, or a restart of the database, an undo goes on where it was, an import starts afresh."""

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta

from psycopg import InterfaceError as DriverInterfaceError
from psycopg import OperationalError as DriverError
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.lists import import_preview
from callcenter.tables.file_faults import N_, UNFORESEEN, UnreadableFileError

log = logging.getLogger(__name__)
LOST = (OperationalError, InterfaceError, DriverError, DriverInterfaceError)  # the connection, or the server
TRIES = 5  # of one worker, when the database goes away
AWAY_SECONDS = 60.0  # how long a database may take to come back
BEAT_SECONDS = 3.0
ANALYZED_FROM = 10_000  # new people


def inspect_import(import_id: int) -> None:
    """Parse the head of an uploaded file for its mapping page."""
    with open_session() as session:
        try:
            import_preview.keep(session, import_id)
            session.flush()
        except UNFORESEEN as error:
            session.rollback()
            if imports.get(session, import_id).state != "uploaded":
                raise  # its page is there already, with what was found before
            log.error("import %d: %s", import_id, type(error).__name__)
            imports.fail(session, import_id, UnreadableFileError(N_("The file could not be read. Save it again.")))
        batch = imports.get(session, import_id)
        if batch.state == "failed":
            imports.forget_file(batch)
        session.commit()


def run_import(import_id: int) -> None:
    """Bring in a batch that somebody has started; what a dead worker had done of it is gone with its transaction."""
    _through_restarts(import_id, _run)


def undo_import(import_id: int) -> None:
    """Take back a batch that somebody wants taken back, a slice a commit."""
    _through_restarts(import_id, _undo)


def _through_restarts(import_id: int, work: Callable[[Session, int], None]) -> None:
    """Do it; once more when the connection is lost on the way, as soon as the database answers again."""
    for left in reversed(range(TRIES)):
        with open_session() as session:
            try:
                work(session, import_id)
                return
            except LOST as fault:
                with contextlib.suppress(*LOST):
                    session.invalidate()
                if not left:
                    raise
                log.warning("import %d: the database is away (%s)", import_id, type(fault).__name__)
        _await_database()


def _await_database() -> None:
    until = time.monotonic() + AWAY_SECONDS
    while True:
        with contextlib.suppress(*LOST), open_session() as session:
            session.execute(text("SELECT 1"))
            return
        if time.monotonic() > until:
            return  # the next try says what is wrong
        time.sleep(0.2)


def _run(session: Session, import_id: int) -> None:
    batch = imports.get(session, import_id)
    if batch.state != "running" or not _hold(session, import_id, imports.LEASE):
        return
    try:
        imports.count_attempt(session, import_id)
        session.commit()
        _work(session, import_id)
    except InvalidInput as fault:
        session.rollback()
        imports.fail(session, import_id, fault)
    except Refused as refused:
        session.rollback()
        log.info("import %d: %s", import_id, refused.code)
        if refused.code == "cancelled":
            imports.clean_up(session, import_id)
    batch = imports.get(session, import_id)
    if batch.state != "running":
        leases.release(session, f"import/{import_id}", _holder())
        if batch.state != "mapping":  # a dry run keeps the file for the true one
            imports.forget_file(batch)
    session.commit()


def _work(session: Session, import_id: int) -> None:
    opened = imports.open_list(session, import_id)
    session.commit()
    counts = imports.bring_in(session, opened, Watch(import_id))
    session.commit()
    if counts["created"] > ANALYZED_FROM:  # or PostgreSQL would not know for a minute how many people there are
        session.execute(text("ANALYZE contacts, consents, contact_phones"))
        session.commit()
    log.info("import %d: %d rows, %d created", import_id, counts["rows"], counts["created"])


class Watch:
    """While an import runs: keeps its lease and says how far it is, in transactions of its own; stops it when it was
    cancelled, or when another worker has it."""

    def __init__(self, import_id: int) -> None:
        self._import_id = import_id
        self._due = 0.0

    def __call__(self, progress: imports.Progress | None = None) -> None:
        if progress is None and time.monotonic() < self._due:
            return
        with open_session() as session:
            if not _hold(session, self._import_id, imports.LEASE):
                raise Refused("lease_lost", "Another worker has taken this import over.")
            imports.renew(session, self._import_id, progress)
            session.commit()
        self._due = time.monotonic() + BEAT_SECONDS


def _undo(session: Session, import_id: int) -> None:
    if imports.get(session, import_id).state != "undoing" or not _hold(session, import_id, imports.LEASE):
        return
    session.commit()
    for _figures in imports.take_back(session, import_id):
        if not _hold(session, import_id, imports.LEASE):
            return
        session.commit()
    leases.release(session, f"import/{import_id}", _holder())
    session.commit()


def _hold(session: Session, import_id: int, life: timedelta) -> bool:
    """Be, or stay, the one worker of this import."""
    return leases.take(session, f"import/{import_id}", _holder(), life.total_seconds()) is not None


def _holder() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
