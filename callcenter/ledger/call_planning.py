"""Planning calls: rows in the ledger, before anybody is told to place them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.ledger import call_states
from callcenter.queueing import queue_entries
from callcenter.queueing.queue_tables import CallQueue, QueueEntry


def plan(session: Session, queue: CallQueue, entries: Sequence[QueueEntry]) -> list[UUID]:
    """Write a planned call for each claimed entry; returns their ids. Whoever places them needs the commit first.

    A phone with an open call gets no second one (the database forbids it): its entry goes back to waiting."""
    if not entries:
        return []
    ids, now = {entry.id: uuid4() for entry in entries}, real_now()
    planned = set(session.scalars(_PLAN, {
        "ids": list(ids.values()), "entries": list(ids), "purpose": queue.purpose, "at": campaign_now(session),
        "now": now, "deadline": now + call_states.LIFE["planned"], "queue": queue.id, "script": queue.script,
        "carrier": queue.carrier, "caller_id": queue.caller_id,
    }))  # fmt: skip
    for entry in entries:
        if ids[entry.id] not in planned:
            queue_entries.give_back(session, entry)
    tell_later(session, f"queue/{queue.id}")
    return [call_id for call_id in ids.values() if call_id in planned]


# In words of its own: an INSERT of as many rows as there are people is another statement each time, and putting one
# together takes longer than running it. All in one: the dialer plans for many queues in one turn.
_PLAN = text("""
    WITH given AS (
        SELECT one.id, e.id AS entry_id, e.contact_id, COALESCE(other.phone, c.phone) AS phone
        FROM unnest(CAST(:ids AS uuid[]), CAST(:entries AS bigint[])) AS one (id, entry_id)
        JOIN queue_entries e ON e.id = one.entry_id JOIN contacts c ON c.id = e.contact_id
        LEFT JOIN contact_phones other ON other.id = e.phone_id
    ), tried AS (
        INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at)
        SELECT id, 'call', :purpose, contact_id, phone, :at, :now, :deadline FROM given
        ON CONFLICT DO NOTHING RETURNING id
    )
    INSERT INTO calls (id, queue_id, entry_id, script, carrier, caller_id, state)
    SELECT id, :queue, entry_id, :script, :carrier, :caller_id, 'planned' FROM given JOIN tried USING (id)
    RETURNING id""")
