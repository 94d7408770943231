"""Entries: one person in one queue, and what the end of a try, a callback or an undo makes of them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.contacts import Contact, ContactPhone
from callcenter.gate.abandoned_rest import REST
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import COUNTED
from callcenter.queueing import queue_rules
from callcenter.queueing.queue_rules import DEAD_PHONE, Step
from callcenter.queues import CallQueue, QueueEntry

KEEPS_PROMISE = frozenset({"not_placed", "canceled", "lost", "given_up"})  # a callback that was not made yet
# For good, whatever a call that is on its way says.
WITHDRAWN = frozenset({"answered_elsewhere", "over_quota", "opted_out", "voted"})


def settle(session: Session, entry_id: int | None, outcome: str) -> None:
    """What the end of a try means for the person by the rules of the queue: again later, or done with the reason."""
    entry = _locked(session, entry_id)
    if entry is None or _is_out(session, entry):
        return
    rules = queue_rules.of_queue(queues.get(session, entry.queue_id))
    entry.attempts, same = _tries_and_same(session, entry, outcome)
    if outcome == "abandoned":
        _leave_alone(session, entry)
    step = queue_rules.next_step(
        rules, outcome, same=same, tries=entry.attempts, pass_number=entry.pass_number, is_callback=entry.is_callback
    )
    if step.minutes is None or not _find_phone(session, entry, step):
        _finish(entry, step.reason)
        return
    entry.state, entry.reason = "waiting", outcome
    entry.not_before = campaign_now(session) + timedelta(minutes=step.minutes)
    entry.is_callback = entry.is_callback and outcome in KEEPS_PROMISE
    if step.is_new_pass:
        entry.pass_number, entry.pass_began_at = entry.pass_number + 1, real_now()


def settle_again(session: Session, entry_id: int | None, outcome: str) -> None:
    """The end of the person's last try turned out to be another one; nothing when they are being called already."""
    entry = _locked(session, entry_id)
    if entry is not None and entry.state in ("waiting", "done"):
        settle(session, entry_id, outcome)


def finish(session: Session, entry_id: int | None, reason: str) -> None:
    """The person is done in this queue, unless only their phone was the wrong one and they have another."""
    if reason in DEAD_PHONE:
        settle(session, entry_id, reason)
        return
    entry = _locked(session, entry_id)
    if entry is not None:
        entry.attempts = _tries(session, entry.id)
        _finish(entry, reason)


def promise_callback(session: Session, entry_id: int | None, at: datetime, operator_id: int | None) -> None:
    """Call the person again at `at` (campaign time), by this operator when one is named. Never lost to the most tries,
    nor to a campaign that was finished meanwhile."""
    entry = _locked(session, entry_id)
    if entry is None or _is_out(session, entry):
        return
    entry.attempts = _tries(session, entry.id)
    entry.state, entry.reason, entry.is_callback = "waiting", "callback", True
    entry.not_before, entry.callback_operator_id = at, operator_id
    queues.reopen_for_callbacks(session, entry.queue_id)


def exclude(session: Session, entry_id: int | None, code: str, until: datetime | None) -> None:
    """The gate said no: later, when it names a time, else never in this queue."""
    entry = _locked(session, entry_id)
    if entry is not None and not _is_out(session, entry):
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


def _is_out(session: Session, entry: QueueEntry) -> bool:
    """Was the person withdrawn while their call was on its way? Then nothing brings them back."""
    is_out = entry.state == "excluded" and entry.reason in WITHDRAWN
    if is_out:
        entry.attempts = _tries(session, entry.id)
    return is_out


def _find_phone(session: Session, entry: QueueEntry, step: Step) -> bool:
    """Let the entry name the phone of the next try; False when the one at hand is dead and there is no other."""
    if not step.other_phone:
        return step.reason not in DEAD_PHONE
    extra = select(ContactPhone.id, ContactPhone.phone).where(ContactPhone.contact_id == entry.contact_id)
    first = select(Contact.phone).where(Contact.id == entry.contact_id)
    others = [(row.id, row.phone) for row in session.execute(extra.order_by(ContactPhone.position))]
    listed = [(None, session.scalar(first)), *others]
    dead = select(Attempt.phone).where(Attempt.contact_id == entry.contact_id, Attempt.outcome.in_(DEAD_PHONE))
    gone = set(session.scalars(dead))
    at = next((place for place, (phone_id, _phone) in enumerate(listed) if phone_id == entry.phone_id), 0)
    left = [phone_id for phone_id, phone in (*listed[at + 1 :], *listed[:at]) if phone not in gone]
    if left:
        entry.phone_id = left[0]
    return bool(left) or step.reason not in DEAD_PHONE


def _leave_alone(session: Session, entry: QueueEntry) -> None:
    """Who picked up to silence rests in every queue, with all who are reached at their first phone."""
    home = select(Contact.phone).where(Contact.id == entry.contact_id).scalar_subquery()
    there = select(Contact.id).where(Contact.phone == home)
    until = campaign_now(session) + REST
    session.execute(
        update(QueueEntry)
        .where(QueueEntry.contact_id.in_(there), QueueEntry.id != entry.id, QueueEntry.state == "waiting")
        .where(~QueueEntry.is_callback, or_(QueueEntry.not_before.is_(None), QueueEntry.not_before < until))
        .values(not_before=until, reason="abandoned")
        .execution_options(synchronize_session=False)
    )


def _tries(session: Session, entry_id: int) -> int:
    session.flush()
    return session.scalar(_of_entry(entry_id, func.count().filter(_counted()))) or 0


def _tries_and_same(session: Session, entry: QueueEntry, outcome: str) -> tuple[int, int]:
    """How many tries count, and how many of this pass ended so."""
    session.flush()
    alike = Attempt.outcome == outcome
    if entry.pass_began_at is not None:
        alike &= Attempt.created_at > entry.pass_began_at
    both = func.count().filter(_counted()).label("tries"), func.count().filter(alike).label("same")
    row = session.execute(_of_entry(entry.id, *both)).one()
    return row.tries, row.same


def _of_entry(entry_id: int, *asked: Any) -> Any:
    return select(*asked).select_from(Call).join(Attempt, Attempt.id == Call.id).where(Call.entry_id == entry_id)


def _counted() -> Any:
    return or_(Call.disposition.is_not(None), Attempt.outcome.in_(COUNTED))


def _locked(session: Session, entry_id: int | None) -> QueueEntry | None:
    if entry_id is None:
        return None
    return session.get(QueueEntry, entry_id, with_for_update=True, populate_existing=True)
