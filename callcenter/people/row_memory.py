"""Rows as JSON: how they are remembered whole, and put back exactly as they were (an undo needs both)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcenter.base.db import Base

Row = dict[str, Any]


def remembered(session: Session, model: type[Base], *which: ColumnElement[bool]) -> list[Row]:
    """The rows as they stand, every column of them; they are locked."""
    whole = func.to_jsonb(literal_column(model.__tablename__), type_=JSONB)
    return list(session.scalars(select(whole).select_from(model).where(*which).with_for_update(of=model)))


def put_back(session: Session, model: type[Base], rows: Sequence[Row], *, without: Collection[str] = ()) -> None:
    """Insert the rows with the ids they had; one that would be a second of its kind is left out. `without`: columns
    that the database fills anew."""
    if rows:
        name = model.__tablename__
        columns = ", ".join(column.name for column in model.__table__.columns if column.name not in without)
        insert = text(
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::{name}, :rows)"  # noqa: S608  # names of ours
            " ON CONFLICT DO NOTHING"
        )
        session.execute(insert.bindparams(bindparam("rows", type_=JSONB)), {"rows": list(rows)})


def write(session: Session, model: type[Base], row_id: Any, values: Mapping[str, Any]) -> None:
    """Set these columns of one row to values as `remembered` gave them."""
    if values:
        name, columns = model.__tablename__, [model.__table__.columns[column].name for column in values]
        settings = ", ".join(f"{column} = n.{column}" for column in columns)
        change = text(
            f"UPDATE {name} SET {settings} FROM jsonb_populate_record(NULL::{name}, :row) n WHERE {name}.id = :id"  # noqa: S608
        )
        session.execute(change.bindparams(bindparam("row", type_=JSONB)), {"row": dict(values), "id": row_id})


def moved(
    session: Session, column: InstrumentedAttribute[Any], to: int, *, of: int, ids: Collection[Any] | None = None
) -> list[Any]:
    """Let the rows that point to the person `of` by `column` point to `to`; returns their ids. `ids`: only these."""
    model = column.class_
    owned = [column == of] if ids is None else [column == of, model.id.in_(list(ids))]
    change = update(model).where(*owned).values({column.key: to}).returning(model.id)
    found = session.scalars(change.execution_options(synchronize_session=False))
    return [one if isinstance(one, int) else str(one) for one in found]
