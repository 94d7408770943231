"""Planning calls: rows in the ledger, before anybody is told to place them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import call_states, queue_claims, queue_entries
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.call_ledger import Call
from callcenter.queue_tables import CallQueue, QueueEntry


def plan(session: Session, queue: CallQueue, entries: Sequence[QueueEntry]) -> list[UUID]:
    """Write a planned call for each claimed entry; returns their ids. Whoever places them needs the commit first.

    A phone with an open call gets no second one (the database forbids it): its entry goes back to waiting."""
    if not entries:
        return []
    now, at = real_now(), campaign_now(session)
    phones = queue_claims.phones(session, entries)
    ids = {entry.id: uuid4() for entry in entries}
    tries = [
        {
            "id": ids[entry.id], "channel": "call", "purpose": queue.purpose, "contact_id": entry.contact_id,
            "phone": phones[entry.id], "at": at, "created_at": now, "deadline_at": now + call_states.LIFE["planned"],
        }
        for entry in entries
    ]  # fmt: skip
    free = set(session.scalars(insert(Attempt).values(tries).on_conflict_do_nothing().returning(Attempt.id)))
    for entry in entries:
        if ids[entry.id] not in free:
            queue_entries.give_back(session, entry)
    planned = [entry for entry in entries if ids[entry.id] in free]
    common = {"queue_id": queue.id, "script": queue.script, "carrier": queue.carrier, "caller_id": queue.caller_id}
    if planned:
        session.execute(insert(Call), [common | {"id": ids[entry.id], "entry_id": entry.id} for entry in planned])
    tell_later(session, f"queue/{queue.id}")
    return [ids[entry.id] for entry in planned]
