"""A second connection that writes half of a national list's new people, so that both cores work.

Two connections are two transactions, and a list is in whole or not at all. So the second one is prepared (two-phase
commit): it can then neither fail nor be lost. The first one commits, which decides; then the second one is told. When
a worker dies between the two, `settle` finds the prepared half and lets it follow its batch.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias
from uuid import uuid4

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from callcenter.base.db import engine

_NAME = re.compile(r"convoca_import_(\d+)_[0-9a-f]{32}")
Work: TypeAlias = Callable[[Session], None]


class Helper:
    """One merge's second connection, opened when it is first needed."""

    def __init__(self, database: Engine, import_id: int) -> None:
        self._engine = database
        self._name = f"convoca_import_{import_id}_{uuid4().hex}"
        self._session: Session | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-helper")

    @property
    def is_busy(self) -> bool:
        """Does its transaction hold what it reads?"""
        return self._session is not None

    def start(self, work: Work) -> "Future[int]":
        """Do `work` in the second transaction, beside whoever asks; the result is that transaction's number."""
        self.forget()
        self._session = Session(self._engine.connect())
        return self._pool.submit(self._do, self._session, work)

    def _do(self, session: Session, work: Work) -> int:
        work(session)
        number: int = session.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
        return number

    def commit_with(self, session: Session) -> None:
        """Commit both transactions, or neither."""
        if self._session is None:
            session.commit()
            return
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as deciding:
            self._session.execute(text(f"PREPARE TRANSACTION '{self._name}'"))
            try:
                session.commit()
                deciding.execute(text(f"COMMIT PREPARED '{self._name}'"))
            finally:
                self.forget()
                # What became of the first transaction is read from its batch: an error may hide that it was committed.
                settle(self._engine, self._name)

    def forget(self) -> None:
        """Undo what is not prepared yet, and close the connection."""
        if self._session is not None:
            connection = self._session.connection() if self._session.in_transaction() else None
            self._session.close()
            if connection is not None:
                connection.close()
            self._session = None

    def close(self) -> None:
        self._pool.shutdown()
        self.forget()


@contextmanager
def helper(import_id: int) -> Iterator[Helper | None]:
    """A helper for a merge; None where the database keeps no prepared transactions (max_prepared_transactions = 0)."""
    with engine().connect() as connection:
        keeps = int(connection.execute(text("SHOW max_prepared_transactions")).scalar_one()) > 0
    if not keeps:
        yield None
        return
    second = Helper(engine(), import_id)
    try:
        yield second
    finally:
        second.close()


def settle(database: Engine, only: str = "") -> int:
    """Let prepared halves follow their batches: in, when the batch is; out, when nobody works on it. Returns how many.

    `only`: the name of one, whose worker asks."""
    settled = 0
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in _prepared(connection):
            found = _NAME.fullmatch(name)
            if found is None or only not in ("", name):
                continue
            state, is_worked_on = _batch(connection, int(found.group(1)))
            if is_worked_on and not only:
                continue
            is_in = state in ("done", "undoing", "undone")
            connection.execute(text(f"{'COMMIT' if is_in else 'ROLLBACK'} PREPARED '{name}'"))
            settled += 1
    return settled


def _prepared(connection: Connection) -> Sequence[str]:
    query = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE 'convoca_import_%'"
    return connection.execute(text(query)).scalars().all()


def _batch(connection: Connection, import_id: int) -> tuple[str | None, bool]:
    query = text(
        "SELECT b.state, b.state = 'running' AND l.expires_at > clock_timestamp() IS TRUE FROM import_batches b"
        " LEFT JOIN leases l ON l.name = 'import/' || b.id WHERE b.id = :import_id"
    )
    row: Any = connection.execute(query, {"import_id": import_id}).one_or_none()
    return (None, False) if row is None else (row[0], bool(row[1]))
