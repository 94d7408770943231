"""Many rows at once: PostgreSQL's COPY takes a tenth of the time of as many INSERTs."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from callcenter.base.db import Base


def copy(session: Session, kind: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same keys: column name → value. What the table's class says where nothing is said holds, as in
    an INSERT of it."""
    raw = session.connection().connection.driver_connection
    table = kind.__table__
    if not rows or raw is None or not isinstance(table, Table):
        return
    given = [table.columns[name] for name in rows[0]]
    unsaid = [one for one in table.columns if one.default is not None and one.name not in rows[0]]
    names = ", ".join(f'"{one.name}"' for one in (*given, *unsaid))
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as stream:
        for row in rows:
            values = [_written(one, row[one.name]) for one in given]
            stream.write_row((*values, *(_written(one, _default(one)) for one in unsaid)))


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    return default.arg(None) if default.is_callable else default.arg


def _written(column: Column[Any], value: Any) -> Any:
    return Jsonb(value) if value is not None and isinstance(column.type, JSONB) else value
