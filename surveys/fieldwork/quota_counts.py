"""How many interviews each cell has: counted from interviews and their answers, never from a counter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import Session, aliased

from surveys import quotas
from surveys.fieldwork import quota_memory
from surveys.fieldwork.interview_ledger import Answer, Interview, is_present
from surveys.fieldwork.quota_cells import QuotaPlan, Screen, Values, full_cells

COMPLETE, SCREENED = "complete", "screened"


@dataclass
class Counts:
    """`done`: complete interviews by cell, extra ones among them; `outside`: complete ones of no cell; `screened`:
    people who were asked the strata alone, by cell."""

    done: dict[Values, int] = field(default_factory=dict)
    screened: dict[Values, int] = field(default_factory=dict)
    outside: int = 0

    @property
    def complete(self) -> int:
        return sum(self.done.values()) + self.outside


@dataclass(frozen=True)
class Mark:
    """Where one complete interview stands. `cell`: None when it belongs to none; `is_extra`: its cell had enough
    before it. It is kept as any other."""

    interview_id: UUID
    cell: Values | None
    is_extra: bool


def read(session: Session, queue_id: int, plan: QuotaPlan) -> Counts:
    """What the campaign has."""
    columns, query = _values(queue_id, plan)
    rows = session.execute(
        query.with_only_columns(Interview.state, func.count(), *columns).group_by(Interview.state, *columns)
    )
    counts = Counts()
    for state, n, *known in rows:
        cell = plan.cell_of(known)
        of_state = counts.done if state == COMPLETE else counts.screened
        if cell is not None:
            of_state[cell.values] = of_state.get(cell.values, 0) + n
        elif state == COMPLETE:
            counts.outside += n
    return counts


def screen(session: Session, queue_id: int | None, record: Mapping[str, str]) -> Screen | None:
    """The quotas as they stand for one conversation, two seconds old at most; None when the campaign has none, or sends
    nobody away. An interview that goes on is not complete, so nobody is in their own way.

    `record`: what the call knew of the person (`interviews.hidden`)."""
    plan = quotas.recent(session, queue_id)
    if plan is None or queue_id is None or plan.when_full != "screen":
        return None
    full = quota_memory.full.of(queue_id, lambda: full_cells(plan, read(session, queue_id, plan).done))
    return Screen(plan, full, record)


def marks(session: Session, queue_id: int, plan: QuotaPlan) -> list[Mark]:
    """Every complete interview with its cell, in the order they ended; those beyond the target are extra."""
    columns, query = _values(queue_id, plan)
    order = (Interview.ended_at.asc().nulls_last(), Interview.started_at, Interview.id)
    rows = session.execute(
        query.with_only_columns(Interview.id, *columns).where(Interview.state == COMPLETE).order_by(*order)
    )
    counts: dict[Values, int] = {}
    found = []
    for number, *known in rows:
        cell = plan.cell_of(known)
        before = counts.get(cell.values, 0) if cell else 0
        found.append(Mark(number, cell.values if cell else None, bool(cell and cell.is_full(before))))
        if cell:
            counts[cell.values] = before + 1
    return found


def _values(queue_id: int, plan: QuotaPlan) -> tuple[list[ColumnElement[Any]], Select[UUID]]:
    """Of each dimension the column that holds an interview's value: what was said, else what the record knew."""
    query = select(Interview.id).where(Interview.queue_id == queue_id, Interview.state.in_([COMPLETE, SCREENED]))
    columns: list[ColumnElement[Any]] = []
    for place, dimension in enumerate(plan.dimensions):
        known: ColumnElement[Any] = Interview.hidden[dimension.field].astext if dimension.field else literal(None)
        if dimension.item:
            said = aliased(Answer)
            query = query.outerjoin(said, is_present(said, dimension.item))
            known = func.coalesce(func.nullif(said.value, ""), known)
        columns.append(known.label(f"value_{place}"))
    return columns, query
