"""Planning calls: rows in the ledger, before anybody is told to place them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import call_states, queue_claims, queue_entries
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.queue_tables import CallQueue, QueueEntry


def plan(session: Session, queue: CallQueue, entries: Sequence[QueueEntry]) -> list[UUID]:
    """Write a planned call for each claimed entry; returns their ids. Whoever places them needs the commit first.

    A phone with an open call gets no second one (the database forbids it): its entry goes back to waiting."""
    if not entries:
        return []
    phones, now = queue_claims.phones(session, entries), real_now()
    ids = {entry.id: uuid4() for entry in entries}
    free = set(session.scalars(_TRY, {
        "ids": list(ids.values()), "contacts": [entry.contact_id for entry in entries],
        "phones": [phones[entry.id] for entry in entries], "purpose": queue.purpose, "at": campaign_now(session),
        "now": now, "deadline": now + call_states.LIFE["planned"],
    }))  # fmt: skip
    for entry in entries:
        if ids[entry.id] not in free:
            queue_entries.give_back(session, entry)
    planned = [entry for entry in entries if ids[entry.id] in free]
    session.execute(_CALL, {
        "ids": [ids[entry.id] for entry in planned], "entries": [entry.id for entry in planned], "queue": queue.id,
        "script": queue.script, "carrier": queue.carrier, "caller_id": queue.caller_id,
    })  # fmt: skip
    tell_later(session, f"queue/{queue.id}")
    return [ids[entry.id] for entry in planned]


# In words of their own: an INSERT of as many rows as there are people is another statement each time, and putting one
# together takes longer than running it.
_TRY = text("""
    INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at)
    SELECT one.id, 'call', :purpose, one.contact_id, one.phone, :at, :now, :deadline
    FROM unnest(CAST(:ids AS uuid[]), CAST(:contacts AS integer[]), CAST(:phones AS text[]))
        AS one (id, contact_id, phone)
    ON CONFLICT DO NOTHING RETURNING id""")
_CALL = text("""
    INSERT INTO calls (id, queue_id, entry_id, script, carrier, caller_id, state)
    SELECT one.id, :queue, one.entry_id, :script, :carrier, :caller_id, 'planned'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:entries AS bigint[])) AS one (id, entry_id)""")
