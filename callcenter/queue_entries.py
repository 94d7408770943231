"""Entries: one person in one queue, and what the end of a try, a callback or an undo makes of them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now
from callcenter.call_ledger import Call
from callcenter.call_states import COUNTED
from callcenter.contacts import Contact
from callcenter.queues import CallQueue, QueueEntry

# Minutes until the next try, by outcome; a queue may say otherwise. An outcome that is not here is final.
RETRY_MINUTES: dict[str, int] = {
    "busy": 15, "no_answer": 120, "machine": 180, "failed": 60, "voicemail": 180, "not_available": 180, "no_reply": 180,
    "not_coded": 60,
    "lost": 60, "canceled": 10, "not_placed": 2,
    "abandoned": 72 * 60,  # who picked up to silence is left alone for three days
}  # fmt: skip


def settle(session: Session, entry_id: int | None, outcome: str) -> None:
    """What the end of a try means for the person: again after the queue's pause, or done with the reason."""
    entry = _locked(session, entry_id)
    if entry is None:
        return
    queue = queues.get(session, entry.queue_id)
    entry.attempts = _tries(session, entry.id)
    minutes = queue.retry_minutes.get(outcome, RETRY_MINUTES.get(outcome))
    if minutes is None:
        _finish(entry, outcome)
    elif entry.attempts >= queue.max_attempts and not entry.is_callback:
        _finish(entry, "max_attempts")
    else:
        entry.state, entry.reason = "waiting", outcome
        entry.not_before = campaign_now(session) + timedelta(minutes=float(minutes))
        entry.is_callback = entry.is_callback and outcome in ("not_placed", "canceled", "lost")


def finish(session: Session, entry_id: int | None, reason: str) -> None:
    """The person is done in this queue."""
    entry = _locked(session, entry_id)
    if entry is not None:
        entry.attempts = _tries(session, entry.id)
        _finish(entry, reason)


def promise_callback(session: Session, entry_id: int | None, at: datetime, operator_id: int | None) -> None:
    """Call the person again at `at` (campaign time), by this operator when one is named. Never lost to max_attempts."""
    entry = _locked(session, entry_id)
    if entry is not None:
        entry.attempts = _tries(session, entry.id)
        entry.state, entry.reason, entry.is_callback = "waiting", "callback", True
        entry.not_before, entry.callback_operator_id = at, operator_id


def exclude(session: Session, entry_id: int | None, code: str, until: datetime | None) -> None:
    """The gate said no: later, when it names a time, else never in this queue."""
    entry = _locked(session, entry_id)
    if entry is not None:
        entry.reason, entry.not_before = code, until
        entry.state = "excluded" if until is None else "waiting"


def give_back(session: Session, entry: QueueEntry) -> None:
    """A claimed person whose phone turned out to be in use: as they were."""
    entry.state = "waiting"
    session.flush()


_REMEMBERED = ("state", "reason", "attempts", "not_before", "is_callback", "callback_operator_id")


def remember(session: Session, entry_id: int | None) -> dict[str, Any]:
    """The entry as it stands, as JSON, for `restore`; {} without one."""
    entry = _locked(session, entry_id)
    if entry is None:
        return {}
    kept = {name: getattr(entry, name) for name in _REMEMBERED}
    kept["not_before"] = entry.not_before.isoformat() if entry.not_before else None
    return kept


def restore(session: Session, entry_id: int | None, kept: dict[str, Any]) -> None:
    """Undo to what `remember` returned."""
    entry = _locked(session, entry_id)
    if entry is not None and kept:
        for name in _REMEMBERED:
            setattr(entry, name, kept[name])
        entry.not_before = datetime.fromisoformat(kept["not_before"]) if kept["not_before"] else None


def promised_to(session: Session, entry_id: int | None) -> int | None:
    """The operator who promised to call this person back."""
    promise = select(QueueEntry.callback_operator_id).where(QueueEntry.id == entry_id, QueueEntry.is_callback)
    return session.scalar(promise)


def next_callback(session: Session, operator_id: int) -> dict[str, Any] | None:
    """The operator's next promised callback that will be made: at (ISO, campaign time), name."""
    row = session.execute(
        select(QueueEntry.not_before, Contact.name)
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .join(CallQueue, CallQueue.id == QueueEntry.queue_id)
        .where(QueueEntry.callback_operator_id == operator_id, QueueEntry.state == "waiting", QueueEntry.is_callback)
        .where(CallQueue.state != "finished")
        .order_by(QueueEntry.not_before)
        .limit(1)
    ).first()
    return {"at": row[0].isoformat(), "name": row[1]} if row and row[0] else None


def tries(session: Session, entry_id: int | None) -> int:
    """Tries of this person that counted, as the ledger has them; 0 without an entry."""
    return 0 if entry_id is None else _tries(session, entry_id)


def _finish(entry: QueueEntry, reason: str) -> None:
    entry.state, entry.reason, entry.not_before, entry.is_callback = "done", reason, None, False


def _tries(session: Session, entry_id: int) -> int:
    session.flush()
    counted = or_(Call.disposition.is_not(None), Attempt.outcome.in_(COUNTED))
    ledger = (
        select(func.count())
        .select_from(Call)
        .join(Attempt, Attempt.id == Call.id)
        .where(Call.entry_id == entry_id, counted)
    )
    return session.scalar(ledger) or 0


def _locked(session: Session, entry_id: int | None) -> QueueEntry | None:
    if entry_id is None:
        return None
    return session.get(QueueEntry, entry_id, with_for_update=True, populate_existing=True)
