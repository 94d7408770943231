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
    Subquery,
    and_,
    any_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from callcenter.queues import QueueEntry
from callcenter.territory import Section
from surveys import quota_counts, quotas
from surveys.quota_cells import Dimension, QuotaPlan, Values, band, full_cells

FULL, OUTSIDE = "quota_full", "quota_outside"  # reasons of an excluded entry
SPAN = 50_000  # entries looked at in one transaction
_SEPARATOR = "\x1f"
_NUMBERS: dict[str, Any] = {
    "section": func.coalesce(Section.number, Contact.section_number), "federal_district": Section.federal_district,
    "local_district": Section.local_district, "age": Contact.age,
}  # fmt: skip


@dataclass(frozen=True)
class Kinds:
    """Kinds of people (their known values, one text) whom the quotas leave out: of full cells, of no cell."""

    full: frozenset[str]
    outside: frozenset[str]


def spans(session: Session, queue_id: int) -> Iterator[tuple[int, int]]:
    """(first, last) numbers of entries, so that a long list is sorted in short transactions."""
    low, high = session.execute(
        select(func.min(QueueEntry.id), func.max(QueueEntry.id)).where(QueueEntry.queue_id == queue_id)
    ).one()
    yield from ((first, min(first + SPAN - 1, high)) for first in range(low, high + 1, SPAN)) if low else ()


def sort_all(session: Session, queue_id: int) -> int:
    """Sort the whole list in this transaction, before a campaign's first call; returns how many entries changed."""
    plan = quotas.of(session, queue_id)
    if plan is None:
        return 0
    done = quota_counts.read(session, queue_id, plan).done
    return sum(sort_span(session, queue_id, plan, full_cells(plan, done), span) for span in spans(session, queue_id))


def sort_span(
    session: Session, queue_id: int, plan: QuotaPlan | None, full: frozenset[Values], span: tuple[int, int]
) -> int:
    """Leave out and take back within one span of entries; returns how many changed. Without a plan all come back."""
    within = (QueueEntry.queue_id == queue_id, QueueEntry.id.between(*span))
    ours = and_(QueueEntry.state == "excluded", QueueEntry.reason.in_([FULL, OUTSIDE]))
    if plan is None:
        verdict = select(QueueEntry.id, null().label("reason")).where(*within, ours).subquery()
    else:
        verdict = _verdicts(plan, kinds(session, plan, full, within), within)
    waiting = and_(QueueEntry.state == "waiting", QueueEntry.is_callback.is_(False), verdict.c.reason.is_not(None))
    changes = or_(waiting, and_(ours, QueueEntry.reason.is_distinct_from(verdict.c.reason)))
    state = case((verdict.c.reason.is_(None), "waiting"), else_="excluded")
    changed = session.connection().execute(
        update(QueueEntry).where(QueueEntry.id == verdict.c.id, changes).values(state=state, reason=verdict.c.reason),
        execution_options={"preserve_rowcount": True},
    )
    if changed.rowcount:
        tell_later(session, f"queue/{queue_id}")
        tell_later(session, "dialer")
    return int(changed.rowcount)


def _verdicts(plan: QuotaPlan, found: Kinds, within: tuple[Any, ...]) -> Subquery:
    """id, reason (None: may be called) of the people of these entries."""
    kind = _kind(plan)
    closed = [
        (kind == any_(_texts(found.full)), literal(FULL)),
        (kind == any_(_texts(found.outside)), literal(OUTSIDE)),
    ]
    return _people(select(QueueEntry.id, case(*closed).label("reason"))).where(*within).subquery()


def _texts(members: frozenset[str]) -> ColumnElement[Any]:
    """Bound as one array, however many."""
    return literal(sorted(members), ARRAY(String))


def kinds(session: Session, plan: QuotaPlan, full: frozenset[Values], within: tuple[Any, ...]) -> Kinds:
    """What becomes of each kind of people among these entries."""
    found: dict[str, set[str]] = {FULL: set(), OUTSIDE: set(), "": set()}
    for kind in session.scalars(_people(select(_kind(plan)).distinct()).where(*within)):
        cells = plan.matching(known(kind))
        closed = OUTSIDE if not cells else FULL if all(cell.values in full for cell in cells) else ""
        found[closed].add(kind)
    return Kinds(frozenset(found[FULL]), frozenset(found[OUTSIDE]))


def people_by_kind(session: Session, queue_id: int, plan: QuotaPlan) -> Mapping[str, int]:
    """How many people of the list, whatever became of them, stand in each kind."""
    kind = _kind(plan).label("kind")
    rows = session.execute(_people(select(kind, func.count())).where(QueueEntry.queue_id == queue_id).group_by(kind))
    return {row[0]: row[1] for row in rows}


def left_out(session: Session, queue_id: int) -> int:
    """People of the list whom the quotas leave out now."""
    query = select(func.count()).where(
        QueueEntry.queue_id == queue_id, QueueEntry.state == "excluded", QueueEntry.reason.in_([FULL, OUTSIDE])
    )
    return session.scalar(query) or 0


def known(kind: str) -> list[str | None]:
    """The values of a kind, one for each dimension; None where the record says nothing."""
    return [value or None for value in kind.split(_SEPARATOR)]


def _people(query: Select[Any]) -> Select[Any]:
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
    return columns.get(dimension.field, literal(""))


def _number(plan: QuotaPlan, place: int, dimension: Dimension) -> ColumnElement[Any]:
    """The first number of its band, so that kinds stay few; -1 is in none."""
    column = _NUMBERS[dimension.field]
    bands = {band(cell.values[place]) for cell in plan.cells} - {None}
    whens = [(column.between(low, high), str(low)) for low, high in sorted(bands)]
    return case((column.is_(None), ""), *whens, else_=literal("-1")) if len(whens) <= 100 else cast(column, String)
