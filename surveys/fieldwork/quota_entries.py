"""The people of a list under quotas: who is in no open cell is left out, and taken back when the cell opens again.

People are looked at by what the record knows of them, all of a kind at once: a kind (say women of 18 to 29 of urban
sections) is decided once, however many stand in it. An agreed callback is kept: it was promised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    and_,
    any_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from callcenter.queues import QueueEntry
from callcenter.territory import Section
from surveys import quotas
from surveys.fieldwork import quota_counts
from surveys.fieldwork.quota_cells import Dimension, QuotaPlan, band, full_cells

FULL, OUTSIDE = "quota_full", "quota_outside"  # reasons of an excluded entry
OPEN = "open"
SPAN = 50_000  # entries looked at in one transaction
_SEPARATOR = "\x1f"
_NUMBERS: dict[str, Any] = {
    "section": func.coalesce(Section.number, Contact.section_number), "federal_district": Section.federal_district,
    "local_district": Section.local_district, "age": Contact.age,
}  # fmt: skip


@dataclass(frozen=True)
class Wrong:
    """Kinds of people (their known values, one text) of whom somebody stands otherwise than the quotas want: to be left
    out as of a full cell, or of none, or to be taken back."""

    plan: QuotaPlan | None  # what was asked; None without quotas
    full: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    back: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[str]:
        return self.full | self.outside | self.back


def sort_all(session: Session, queue_id: int) -> int:
    """Sort the whole list in this transaction, before a campaign's first call; returns how many entries changed."""
    wrong = find_wrong(session, queue_id)
    return sum(sort_span(session, queue_id, wrong, span) for span in spans(session, queue_id)) if wrong.kinds else 0


def find_wrong(session: Session, queue_id: int) -> Wrong:
    """One look at the list. Without quotas everybody whom they left out comes back."""
    plan = quotas.of(session, queue_id)
    if plan is None:
        return Wrong(None, back=frozenset({""} if left_out(session, queue_id) else ()))
    full = full_cells(plan, quota_counts.read(session, queue_id, plan).done)
    kind, reason = _kind(plan).label("kind"), _reason().label("reason")
    rows = session.execute(
        _people(select(kind, reason)).where(QueueEntry.queue_id == queue_id, _is_ours()).group_by(kind, reason)
    )
    found: dict[str, set[str]] = {FULL: set(), OUTSIDE: set(), OPEN: set()}
    for row in rows:
        cells = plan.matching(known(row.kind))
        wanted = OUTSIDE if not cells else FULL if all(cell.values in full for cell in cells) else OPEN
        if wanted != row.reason:
            found[wanted].add(row.kind)
    return Wrong(plan, frozenset(found[FULL]), frozenset(found[OUTSIDE]), frozenset(found[OPEN]))


def spans(session: Session, queue_id: int) -> Iterator[tuple[int, int]]:
    """(first, last) numbers of entries, so that a long list is sorted in short transactions."""
    low, high = session.execute(
        select(func.min(QueueEntry.id), func.max(QueueEntry.id)).where(QueueEntry.queue_id == queue_id)
    ).one()
    yield from ((first, min(first + SPAN - 1, high)) for first in range(low, high + 1, SPAN)) if low else ()


def sort_span(session: Session, queue_id: int, wrong: Wrong, span: tuple[int, int]) -> int:
    """Leave out and take back within one span of entries; returns how many changed."""
    kind = literal("") if wrong.plan is None else _kind(wrong.plan)
    people = (
        select(Contact.id, kind.label("kind")).outerjoin(Section, Section.id == Contact.section_id).subquery("people")
    )
    of_full, of_none = people.c.kind == any_(_texts(wrong.full)), people.c.kind == any_(_texts(wrong.outside))
    wanted = case((of_full, FULL), (of_none, OUTSIDE), else_=OPEN)
    changed = session.connection().execute(
        update(QueueEntry)
        .where(QueueEntry.queue_id == queue_id, QueueEntry.id.between(*span), _is_ours(), _reason() != wanted)
        .where(people.c.id == QueueEntry.contact_id, people.c.kind == any_(_texts(wrong.kinds)))
        .values(state=case((wanted == OPEN, "waiting"), else_="excluded"), reason=func.nullif(wanted, OPEN)),
        execution_options={"preserve_rowcount": True},
    )
    if changed.rowcount:
        tell_later(session, f"queue/{queue_id}")
        tell_later(session, "dialer")
    return int(changed.rowcount)


def _is_ours() -> ColumnElement[bool]:
    """SQL: may the quotas decide over this entry? Who waits and was promised nothing, or whom they left out."""
    waits = and_(QueueEntry.state == "waiting", QueueEntry.is_callback.is_(False))
    return or_(waits, and_(QueueEntry.state == "excluded", QueueEntry.reason.in_([FULL, OUTSIDE])))


def _reason() -> ColumnElement[str]:
    """SQL: how such an entry stands now."""
    return case((QueueEntry.state == "waiting", OPEN), else_=QueueEntry.reason)


def _texts(members: frozenset[str]) -> ColumnElement[Any]:
    """Bound as one array, however many."""
    return literal(sorted(members), ARRAY(String))


def people_by_kind(session: Session, queue_id: int, plan: QuotaPlan) -> Mapping[str, int]:
    """How many people of the list, whatever became of them, stand in each kind."""
    kind = _kind(plan).label("kind")
    counted = _people(select(kind, func.count().label("people"))).where(QueueEntry.queue_id == queue_id)
    rows = session.execute(counted.group_by(kind))
    return {row.kind: row.people for row in rows}


def left_out(session: Session, queue_id: int) -> int:
    """People of the list whom the quotas leave out now."""
    query = select(func.count()).where(
        QueueEntry.queue_id == queue_id, QueueEntry.state == "excluded", QueueEntry.reason.in_([FULL, OUTSIDE])
    )
    return session.scalar(query) or 0


def known(kind: str) -> list[str | None]:
    """The values of a kind, one for each dimension; None where the record says nothing."""
    return [value or None for value in kind.split(_SEPARATOR)]


def _people(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        query.select_from(QueueEntry)
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .outerjoin(Section, Section.id == Contact.section_id)
    )


def _kind(plan: QuotaPlan) -> ColumnElement[str]:
    """SQL: what the record knows, one text: a value for each dimension, '' for what it does not know."""
    return func.concat_ws(_SEPARATOR, *(func.coalesce(_value(plan, at), "") for at in range(len(plan.dimensions))))


def _value(plan: QuotaPlan, place: int) -> ColumnElement[Any]:
    dimension = plan.dimensions[place]
    if dimension.field in ("age", "section", "federal_district", "local_district"):
        return _number(plan, place, dimension)
    columns: dict[str, Any] = {
        "sex": Contact.sex, "section_kind": Section.kind,
        "municipality": func.coalesce(Section.municipality, Contact.municipality),
    }  # fmt: skip
    column: ColumnElement[Any] = columns.get(dimension.field, literal(""))
    return column


def _number(plan: QuotaPlan, place: int, dimension: Dimension) -> ColumnElement[Any]:
    """The first number of its band, so that kinds stay few; -1 is in none."""
    column = _NUMBERS[dimension.field]
    bands = {found for cell in plan.cells if (found := band(cell.values[place])) is not None}
    whens = [(column.between(low, high), str(low)) for low, high in sorted(bands)]
    return case((column.is_(None), ""), *whens, else_=literal("-1")) if len(whens) <= 100 else cast(column, String)
