"""The staged rows of one import: COPYed, block by block, into an unlogged table of its own, before they are merged."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.import_frames import PEOPLE, PHONES
from callcenter.import_rows import Refused

_TYPES: dict[Any, str] = {
    pl.Int64: "bigint", pl.Int32: "integer", pl.String: "text", pl.Boolean: "boolean", pl.Date: "date",
}  # fmt: skip
_KINDS = ("stage", "phones", "special", "promoters", "organizations", "suppressed")
_NOT_NULL = ("row_number", "name", "given_names", "name_key", "phone", "line_kind", "position")


def table(import_id: int) -> str:
    """The table of staged people."""
    return f"import_stage_{int(import_id)}"  # an integer of ours: nothing from outside reaches the SQL


def phones_table(import_id: int) -> str:
    """The table of their further phones."""
    return f"import_phones_{int(import_id)}"


def create_tables(session: Session, import_id: int) -> None:
    """Empty staging tables; what an earlier try left in them is gone. Every staged row has an id for the person it may
    become, so that phones and evidence need not look it up."""
    drop_tables(session, import_id)
    sequence = session.scalar(text("SELECT pg_get_serial_sequence('contacts', 'id')"))
    for name, columns in ((table(import_id), PEOPLE), (phones_table(import_id), PHONES)):
        said = [f"{column} {_type(column, kind)}" for column, kind in columns.items()]
        session.execute(text(f"CREATE UNLOGGED TABLE {name} ({', '.join(said)}) WITH (autovacuum_enabled = off)"))
    session.execute(
        text(f"ALTER TABLE {table(import_id)} ADD contact_id bigint NOT NULL DEFAULT nextval('{sequence}'::regclass)")
    )


def _type(column: str, kind: Any) -> str:
    if column == "attributes":
        return "jsonb"
    return _TYPES[kind] + (" NOT NULL" if column in _NOT_NULL else "")


def drop_tables(session: Session, import_id: int) -> None:
    """Forget what is staged, and what a helper of the merge kept for itself."""
    names = [f"import_{name}_{int(import_id)}" for name in _KINDS]
    session.execute(text(f"DROP TABLE IF EXISTS {', '.join(names)}"))


def count(session: Session, import_id: int) -> int | None:
    """How many people are staged; None without the table. (PostgreSQL empties unlogged tables when it crashes.)"""
    if session.scalar(text("SELECT to_regclass(:name)"), {"name": table(import_id)}) is None:
        return None
    counted: int | None = session.scalar(text(f"SELECT count(*) FROM {table(import_id)}"))  # noqa: S608  # our name
    return counted


def copy_block(session: Session, import_id: int, people: bytes, phones: bytes) -> None:
    """Stage one block, given as `lines_of` its frames."""
    copy(session, f"{table(import_id)} ({', '.join(PEOPLE)})", people)
    copy(session, f"{phones_table(import_id)} ({', '.join(PHONES)})", phones)


def copy_refused(session: Session, import_id: int, rows: Sequence[Refused]) -> None:
    """Keep one block's refused rows."""
    lines = pl.DataFrame(
        [(import_id, row.row, row.reason, json.dumps(row.cells, ensure_ascii=False)) for row in rows],
        schema={"import_id": pl.Int64, "row_number": pl.Int64, "reason": pl.String, "cells": pl.String},
        orient="row",
    )
    copy(session, "refused_rows (import_id, row_number, reason, cells)", lines_of(lines))


def lines_of(frame: pl.DataFrame) -> bytes:
    """The frame as COPY … (FORMAT csv) reads it: nothing is NULL, "" is an empty text."""
    lines = io.BytesIO()
    frame.write_csv(lines, include_header=False)
    return lines.getvalue()


def copy(session: Session, target: str, lines: bytes) -> None:
    """COPY lines of CSV into `target`, a table with its columns."""
    if not lines:
        return
    raw = session.connection().connection.driver_connection
    assert raw is not None
    with raw.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN (FORMAT csv)") as stream:
        stream.write(lines)


def copied_out(session: Session, select: str, schema: dict[str, Any]) -> pl.DataFrame:
    """The rows of a SELECT of ours, as a frame."""
    lines = b"".join(chunks_out(session, select))
    return pl.read_csv(lines, has_header=False, schema=schema) if lines else pl.DataFrame(schema=schema)


def chunks_out(session: Session, select: str) -> Iterator[bytes]:
    """The rows of a SELECT of ours, as lines for `copy`."""
    raw = session.connection().connection.driver_connection
    assert raw is not None
    with raw.cursor() as cursor, cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)") as stream:
        yield from map(bytes, stream)
