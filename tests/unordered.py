"""Rows that were asked for in no order come newest first in the tests.

PostgreSQL mostly gives them in the order they were written, until a page of the table has room again. A list that
relies on it is right on a quiet machine and wrong on some other day; this way it is wrong at once.
"""

from typing import Any

from sqlalchemy import Select, event, inspect
from sqlalchemy.orm import Mapper, ORMExecuteState, Session
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import iterate


def come_newest_first() -> None:
    """From now on, in this process."""
    event.listen(Session, "do_orm_execute", _reverse)


def _reverse(asked: ORMExecuteState) -> None:
    statement = asked.statement
    if isinstance(statement, Select) and not asked.is_relationship_load and not asked.is_column_load:
        asked.statement = newest_first(statement)


def newest_first(statement: Select[Any]) -> Select[Any]:
    """The rows of its first entity by falling key, where they are asked for as they are and in no order."""
    # SQLAlchemy offers no public way to ask a SELECT for these.
    if statement._order_by_clauses or statement._distinct or statement._group_by_clauses:
        return statement
    if any(isinstance(part, FunctionElement) for each in statement.selected_columns for part in iterate(each)):
        return statement
    entity = statement.column_descriptions[0].get("entity")
    if entity is None:
        return statement
    mapper: Mapper[Any] = inspect(entity).mapper
    keys = [getattr(entity, mapper.get_property_by_column(column).key) for column in mapper.primary_key]
    return statement.order_by(*(key.desc() for key in keys))
