"""Why one person is not being called by a queue: the one thing that keeps them, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent, queues
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now
from callcenter.contacts import Contact
from callcenter.operators import Operator
from callcenter.queueing import entry_reasons, queue_claims, queue_rules
from callcenter.queueing.queue_claims import TALKED
from callcenter.queueing.queue_rules import LEFT_ALONE
from callcenter.queues import CallQueue, QueueEntry

SENTENCES: dict[str, LazyString] = {
    "not_listed": _l("They are not on the list of this campaign."),
    "calling": _l("They are being called now."),
    "done": _l("They have been dealt with."),
    "excluded": _l("They are left out for good."),
    "queue_draft": _l("The campaign has not started."),
    "queue_paused": _l("The campaign is paused."),
    "queue_finished": _l("The campaign is finished."),
    "callback_agreed": _l("They are called back at the time that was agreed."),
    "resting": _l("They are tried again later."),
    "gate": _l("A rule forbids to call them now."),
    "abandoned_rest": _l("They picked up lately and found no operator: nobody rings there for three days."),
    "household_rest": _l("Somebody else at their phone was talked to lately: the campaign leaves the household alone."),
    "only_callbacks": _l("The campaign is closing: only agreed calls are still made."),
    "keeper_away": _l("They wait for the operator who promised to call back; after a quarter of an hour anybody does."),
    "next": _l("Nothing keeps them: they are called when it is their turn."),
}
_DEALT_WITH = {"calling", "done", "excluded"}  # these states of an entry are codes of SENTENCES


@dataclass(frozen=True)
class Wait:
    """`code`: one of SENTENCES. `reason`: the code behind it (a rule's, an outcome, the dialer's word), and `detail`
    its sentence. `until` (campaign time): when it ends by itself. `lifted_by`: who or what lifts a rule's refusal."""

    queue_id: int
    queue: str
    code: str
    reason: str | None = None
    detail: str = ""
    until: datetime | None = None
    lifted_by: str = ""
    attempts: int = 0

    @property
    def sentence(self) -> LazyString:
        return SENTENCES[self.code]


def of_person(session: Session, contact: Contact, *, simulated: bool) -> list[Wait]:
    """Of each queue in which the person stands and that is not finished, newest first. `simulated`: calls reach
    invented people only."""
    mine = (
        select(CallQueue)
        .join(QueueEntry, QueueEntry.queue_id == CallQueue.id)
        .where(QueueEntry.contact_id == contact.id, CallQueue.state != "finished")
        .order_by(CallQueue.id.desc())
    )
    return [in_queue(session, queue, contact, simulated=simulated) for queue in session.scalars(mine)]


def in_queue(session: Session, queue: CallQueue, contact: Contact, *, simulated: bool) -> Wait:
    """What keeps the person in this queue."""
    own = select(QueueEntry).where(QueueEntry.queue_id == queue.id, QueueEntry.contact_id == contact.id)
    entry = session.scalar(own.execution_options(populate_existing=True))
    if entry is None:
        return Wait(queue.id, queue.name, "not_listed")
    now, phone = campaign_now(session), queue_claims.phones(session, [entry])[entry.id]
    found = (
        _by_entry(queue, entry, now)
        or _by_gate(session, queue, entry, phone, simulated=simulated)
        or _by_phone(session, queue, entry, phone, now)
    )
    if found is not None:
        return found
    if _keeper_is_away(session, entry, now):
        return _wait(queue, entry, "keeper_away", until=(entry.not_before or now) + queues.OVERDUE)
    return _wait(queue, entry, "next", queue.why_idle, queues.why_sentence(queue.why_idle) or "")


def _by_entry(queue: CallQueue, entry: QueueEntry, now: datetime) -> Wait | None:
    """What the list itself says."""
    why = entry_reasons.sentence(entry.reason)
    if entry.state in _DEALT_WITH:
        is_over = entry.state != "calling"
        return _wait(queue, entry, entry.state, entry.reason if is_over else None, why if is_over else "")
    if queue.state != "running":
        why = queues.pause_sentence(queue.state_reason) or ""
        return _wait(queue, entry, f"queue_{queue.state}", queue.state_reason, why)
    if queue.only_callbacks and not entry.is_callback:
        return _wait(queue, entry, "only_callbacks")
    if entry.not_before is None or entry.not_before <= now:
        return None
    if entry.is_callback:
        return _wait(queue, entry, "callback_agreed", "callback", until=entry.not_before)
    return _wait(queue, entry, "resting", entry.reason, why, until=entry.not_before)


def _by_gate(session: Session, queue: CallQueue, entry: QueueEntry, phone: str, *, simulated: bool) -> Wait | None:
    """What the one gate says at this moment."""
    refusal = consent.refusal(session, entry.contact_id, "call", queue.purpose, phone=phone, simulated=simulated)
    if refusal is None:
        return None
    lifted_by = str(refusal.lifted_by.sentence)
    return _wait(queue, entry, "gate", refusal.code, str(refusal.sentence), until=refusal.until, lifted_by=lifted_by)


def _by_phone(session: Session, queue: CallQueue, entry: QueueEntry, phone: str, now: datetime) -> Wait | None:
    """What earlier calls to the phone mean, whoever was called there."""
    alone, household = timedelta(minutes=LEFT_ALONE), timedelta(minutes=queue_rules.of_queue(queue).household_minutes)
    lately = select(Attempt.outcome, Attempt.contact_id, Attempt.at).where(
        Attempt.phone == phone, Attempt.channel == "call", Attempt.at > now - max(alone, household)
    )
    for outcome, contact_id, at in session.execute(lately.order_by(Attempt.at.desc())):
        if outcome == "abandoned" and at > now - alone:
            return _wait(queue, entry, "abandoned_rest", "abandoned", until=at + alone)
        if outcome in TALKED and contact_id != entry.contact_id and at > now - household:
            return _wait(queue, entry, "household_rest", outcome, until=at + household)
    return None


def _keeper_is_away(session: Session, entry: QueueEntry, now: datetime) -> bool:
    """Is this callback kept for an operator who cannot take it, and not overdue?"""
    keeper, at = entry.callback_operator_id, entry.not_before
    if not entry.is_callback or keeper is None or at is None or at < now - queues.OVERDUE:
        return False
    return session.scalar(select(Operator.state).where(Operator.id == keeper)) != "available"


def _wait(queue: CallQueue, entry: QueueEntry, code: str, reason: str | None = None, detail: str = "", *,
          until: datetime | None = None, lifted_by: str = "") -> Wait:  # fmt: skip
    return Wait(queue.id, queue.name, code, reason, detail, until, lifted_by, entry.attempts)
