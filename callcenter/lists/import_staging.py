"""The staged rows of an import: COPYed, block by block, into temporary tables, before they are merged."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import polars as pl
from psycopg import Error as PostgresError
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.base.db import ROW_QUOTED
from callcenter.lists.import_frames import PEOPLE, PHONES, Frame
from callcenter.lists.import_rows import Refused

PEOPLE_TABLE, PHONES_TABLE = "import_stage", "import_phones"
_TYPES: dict[Any, str] = {
    pl.Int64: "bigint", pl.Int32: "integer", pl.String: "text", pl.Boolean: "boolean", pl.Date: "date",
}  # fmt: skip
_NOT_NULL = ("row_number", "name", "given_names", "name_key", "phone", "line_kind", "position")


def create_tables(session: Session) -> None:
    """Empty staging tables of this transaction. Every staged row has an id for the person it may become, so that phones
    and evidence need not look it up."""
    session.execute(text(f"DROP TABLE IF EXISTS {PEOPLE_TABLE}, {PHONES_TABLE}"))
    sequence = session.scalar(text("SELECT pg_get_serial_sequence('contacts', 'id')"))
    id_ = f"contact_id bigint NOT NULL DEFAULT nextval('{sequence}'::regclass)"
    for name, columns, more in ((PEOPLE_TABLE, PEOPLE, [id_]), (PHONES_TABLE, PHONES, [])):
        said = [f"{column} {_type(column, kind)}" for column, kind in columns.items()] + more
        session.execute(text(f"CREATE TEMPORARY TABLE {name} ({', '.join(said)}) ON COMMIT DROP"))


def _type(column: str, kind: Any) -> str:
    if column == "attributes":
        return "jsonb"
    return _TYPES[kind] + (" NOT NULL" if column in _NOT_NULL else "")


def staged_lines(frame: Frame) -> dict[str, bytes]:
    """One block's people and their further phones, by the staging table they go to."""
    return {
        f"{PEOPLE_TABLE} ({', '.join(PEOPLE)})": lines_of(frame.people),
        f"{PHONES_TABLE} ({', '.join(PHONES)})": lines_of(frame.phones),
    }


def copy_refused(session: Session, import_id: int, rows: Sequence[Refused]) -> None:
    """Keep one block's refused rows."""
    lines = pl.DataFrame(
        [(import_id, row.row, row.reason, json.dumps(row.cells, ensure_ascii=False)) for row in rows],
        schema={"import_id": pl.Int64, "row_number": pl.Int64, "reason": pl.String, "cells": pl.String},
        orient="row",
    )
    copy(session, "refused_rows (import_id, row_number, reason, cells)", lines_of(lines))


class Behind:
    """Does one thing at a time with a session on another thread, while the caller prepares the next one.

    Whoever wants the session meanwhile asks for it here, and has it when that thing is done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-copier")
        self._going: Future[None] | None = None

    def session(self) -> Session:
        """The session, with nothing going on in it. Raises what was raised by the last thing that was started."""
        going, self._going = self._going, None
        if going is not None:
            going.result()
        return self._session

    def start(self, work: Callable[[Session], None]) -> None:
        """Do this as soon as nothing else is done, and do not wait for it."""
        self._going = self._pool.submit(work, self.session())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_others: object) -> None:
        self._pool.shutdown()
        if kind is None:
            self.session()


def lines_of(frame: pl.DataFrame) -> bytes:
    """The frame as COPY … (FORMAT csv) reads it: nothing is NULL, "" is an empty text."""
    lines = io.BytesIO()
    frame.write_csv(lines, include_header=False)
    return lines.getvalue()


def copy(session: Session, target: str, lines: bytes) -> None:
    """COPY lines of CSV into `target`, a table with its columns. Raises psycopg's errors, without the row quoted."""
    if not lines:
        return
    raw = session.connection().connection.driver_connection
    assert raw is not None
    try:
        with raw.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as stream:
            stream.write(lines)
    except PostgresError as error:
        if error.sqlstate is None or error.sqlstate[:2] not in ROW_QUOTED:
            raise
        raise type(error)(f"{error.sqlstate} {error.diag.constraint_name or ''}") from None


def copied_out(session: Session, select: str, schema: dict[str, Any]) -> pl.DataFrame:
    """The rows of a SELECT of ours, as a frame."""
    return pl.concat([pl.DataFrame(schema=schema), *copied_blocks(session, select, schema)])


def copied_blocks(session: Session, select: str, schema: dict[str, Any], rows: int = 100_000) -> Iterator[pl.DataFrame]:
    """The rows of a SELECT of ours, as frames of some rows each."""
    raw = session.connection().connection.driver_connection
    assert raw is not None
    with raw.cursor() as cursor, cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)") as stream:
        some: list[bytes] = []
        for line in stream:
            some.append(bytes(line))
            if len(some) == rows:
                yield _read(some, schema)
                some = []
        if some:
            yield _read(some, schema)


def _read(lines: Sequence[bytes], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.read_csv(b"".join(lines), has_header=False, schema=schema)
