"""What an operator's screen shows of the person whom they look at, or ring, before a call."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.ledger import call_card, dispositions
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queueing import previews, queue_claims, queue_entries
from callcenter.queueing.previews import Preview
from callcenter.queues import QueueEntry

TOLD = 20  # seconds for which the end of the last call is told


def card(session: Session, operator: Operator) -> dict[str, Any] | None:
    """None unless the operator looks or rings: {"id", "call_id": None while they look, "until": ISO, "seconds": of a
    whole look, "attempt_number", "is_promised", "queue", "contact", "history", "script"}."""
    if operator.state != "preview":
        return None
    of_call = Preview.call_id == operator.call_id if operator.call_id else Preview.ended_at.is_(None)
    preview = session.scalar(select(Preview).where(Preview.operator_id == operator.id, of_call))
    entry = session.get(QueueEntry, preview.entry_id, populate_existing=True) if preview else None
    if preview is None or entry is None:
        return None
    queue = queues.get(session, preview.queue_id)
    phone = queue_claims.phones(session, [entry])[entry.id]
    return {
        "id": preview.id,
        "call_id": str(preview.call_id) if preview.call_id else None,
        "until": preview.until.isoformat(),
        "seconds": (preview.until - preview.shown_at).total_seconds(),
        "attempt_number": queue_entries.tries(session, entry.id) + 1,
        "is_promised": entry.is_callback,
        "queue": call_card.queue_of(queue),
        "contact": call_card.person(session, entry.contact_id, phone),
        "history": call_card.history_of(session, entry.contact_id),
        "script": queue.script,
    }


def last_end(session: Session, operator_id: int) -> dict[str, str] | None:
    """What became of the operator's last ring when nobody took it, a moment ago: {"call_id", "says"}."""
    row = session.execute(
        select(Call.id, Call.ended_at, Attempt.outcome)
        .join(Preview, Preview.call_id == Call.id)
        .join(Attempt, Attempt.id == Call.id)
        .where(Preview.operator_id == operator_id, Preview.result == "called")
        .order_by(Preview.ended_at.desc())
        .limit(1)
    ).first()
    if row is None or row.ended_at is None or row.outcome is None:
        return None
    is_new = (real_now() - row.ended_at).total_seconds() < TOLD
    was_taken = row.outcome in dispositions.DISPOSITIONS
    return {"call_id": str(row.id), "says": dispositions.label(row.outcome)} if is_new and not was_taken else None


def reasons() -> dict[str, str]:
    """Why an operator may skip a person, in the reader's language."""
    return {code: str(words) for code, words in previews.SKIPS.items()}
