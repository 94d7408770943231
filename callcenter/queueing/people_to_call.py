"""Whom an operator may pick by themselves: who was promised a call by them, and the lists that are dialled by hand."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.contacts import Contact
from callcenter.operators import Operator
from callcenter.people import contact_search
from callcenter.people.contact_search import Search
from callcenter.queues import CallQueue, QueueEntry

MOST = 30  # shown at once
LOOKED_AT = 300  # people of a name whose entries are looked for


@dataclass(frozen=True)
class Person:
    """One who may be picked. `due_at`: of a promised callback (campaign time)."""

    entry_id: int
    name: str
    place: str
    queue: str
    attempts: int
    due_at: datetime | None


def people(session: Session, operator_id: int, wanted: str = "") -> list[Person]:
    """At most MOST, promised callbacks first (the earliest first), then by the order of the lists. `wanted`: beginnings
    of the words of a name."""
    ids = _named(session, wanted) if wanted else None
    promised = _entries(ids).where(
        QueueEntry.is_callback, QueueEntry.callback_operator_id == operator_id
    ).order_by(QueueEntry.not_before)  # fmt: skip
    by_hand = (
        _entries(ids)
        .join(Operator, operators.serves(CallQueue.id))
        .where(Operator.id == operator_id, CallQueue.mode == "manual")
        .where(~QueueEntry.is_callback, QueueEntry.not_before.is_(None))
        .order_by(QueueEntry.queue_id.desc(), QueueEntry.priority.desc(), QueueEntry.urgency.desc(),
                  QueueEntry.pass_number.desc(), QueueEntry.hour_group.desc(), QueueEntry.id.desc())
    )  # fmt: skip
    found = list(session.execute(promised.limit(MOST)))
    found += session.execute(by_hand.limit(MOST - len(found))) if len(found) < MOST else []
    return [_person(*row) for row in found]


def _entries(ids: list[int] | None) -> Select[QueueEntry, Contact, str]:
    query = (
        select(QueueEntry, Contact, CallQueue.name)
        .join(CallQueue, CallQueue.id == QueueEntry.queue_id)
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .where(CallQueue.state == "running", QueueEntry.state == "waiting")
    )
    return query if ids is None else query.where(QueueEntry.contact_id.in_(ids))


def _named(session: Session, wanted: str) -> list[int]:
    return [contact.id for contact in contact_search.find(session, Search(name=wanted), limit=LOOKED_AT)]


def _person(entry: QueueEntry, contact: Contact, queue: str) -> Person:
    place = ", ".join(part for part in (contact.neighborhood, contact.municipality) if part)
    return Person(entry.id, contact.name, place, queue, entry.attempts, entry.not_before if entry.is_callback else None)
