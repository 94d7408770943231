"""Calls to our numbers: who rings back hears who called them, may ask not to be called again, or gets an operator.

A short recorded menu comes first (scripts.ivr speaks it); what the citizen chooses comes back to `choose`. Such a call
is in the ledger like any other, with `direction` in; the gate is not asked, since it is they who call.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import calls, consent, queues, recordings
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.ledger.call_ledger import Call
from callcenter.phones import normalise
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue, QueueEntry

MEMORY = timedelta(days=30)  # how long after our call a number that rings back is taken for its answer
MENU = timedelta(minutes=2)  # the menu and the citizen's choice
BACK_IN = timedelta(minutes=10)  # nobody was free: we call back no sooner
CHOICES = ("operator", "opt_out", "none")


@dataclass(frozen=True)
class Menu:
    """What the recorded menu says: on whose behalf we called, where the privacy notice is, in which language."""

    on_behalf_of: str
    privacy_notice_url: str
    language: str


def arrived(session: Session, switch: str, ref: str, from_number: str, to_number: str) -> UUID | None:
    """Write a call down that came in, answered; its id, or None when there is no campaign it could belong to or this
    number is in a call of ours already. `ref` is the carrier's reference. Asked twice, the same id."""
    known = session.scalar(select(Call.id).where(Call.carrier_ref == ref))
    if known is not None:
        return known
    reading = normalise(from_number)
    if len(reading.numbers) != 1:
        return None
    phone = reading.numbers[0].e164
    before = _called_before(session, phone)
    queue = queues.get(session, before.queue_id) if before else _queue_of(session, to_number)
    if queue is None:
        return None
    contact_id = before.attempt.contact_id if before else _only_person(session, phone)
    call_id = _open_attempt(session, phone, queue, contact_id)
    if call_id is None:
        return None
    entry_id = before.entry_id if before else None
    call = Call(
        id=call_id, queue_id=queue.id, entry_id=entry_id, script=queue.script, carrier=queue.carrier,
        caller_id=to_number, direction="in", state="answered", carrier_ref=ref, answered_at=real_now(),
    )  # fmt: skip
    session.add(call)
    session.flush()
    calls.note_event(session, call, "arrived", switch=switch)
    tell_later(session, "floor")
    return call_id


def menu(session: Session, call_id: UUID) -> Menu:
    """What to say to who rings back."""
    call = calls.locked(session, call_id)
    queue = queues.get(session, call.queue_id)
    contact = session.get(Contact, call.attempt.contact_id) if call.attempt.contact_id else None
    return Menu(queue.on_behalf_of, queue.privacy_notice_url, (contact.language if contact else None) or "es")


def choose(session: Session, call_id: UUID, choice: str) -> str:
    """What the citizen chose (one of CHOICES): the room to move them to, `goodbye`, or `callback` when nobody is free
    and we call them back. Raises ValueError for another choice."""
    if choice not in CHOICES:
        raise ValueError(f"{choice!r} is none of {', '.join(CHOICES)}")
    call = calls.locked(session, call_id)
    if call.state != "answered":
        return f"op-{call.operator_id}" if call.state == "connected" and call.operator_id else "goodbye"
    if choice == "opt_out":
        consent.opt_out(session, call.attempt.phone, reason="call", proof=f"call/{call.id}", source="inbound")
        _close(session, call, "inbound_opted_out")
        return "goodbye"
    if choice == "none":
        _close(session, call, "inbound_informed")
        return "goodbye"
    operator_id = calls.connect(session, call, first=_who_called(session, call))
    if operator_id is not None:
        recordings.begin(session, call.id)
        return f"op-{operator_id}"
    return _promise(session, call)


def _close(session: Session, call: Call, kind: str) -> None:
    calls.record_event(session, call.id, Event(kind, kind))


def _promise(session: Session, call: Call) -> str:
    _close(session, call, "inbound_missed")
    entry = session.get(QueueEntry, call.entry_id) if call.entry_id else None
    if entry is None or queues.get(session, call.queue_id).state == "finished":
        return "goodbye"
    queue_entries.promise_callback(session, entry.id, campaign_now(session) + BACK_IN, None)
    return "callback"


def _called_before(session: Session, phone: str) -> Call | None:
    """The last call of ours that this number got."""
    return session.scalar(
        select(Call)
        .join(Attempt, Attempt.id == Call.id)
        .where(Attempt.phone == phone, Attempt.channel == "call", Call.placed_at > real_now() - MEMORY)
        .order_by(Call.placed_at.desc())
        .limit(1)
    )


def _who_called(session: Session, call: Call) -> int | None:
    """The operator who spoke last with this number."""
    return session.scalar(
        select(Call.operator_id)
        .join(Attempt, Attempt.id == Call.id)
        .where(Attempt.phone == call.attempt.phone, Call.operator_id.is_not(None), Call.id != call.id)
        .order_by(Call.connected_at.desc())
        .limit(1)
    )


def _queue_of(session: Session, to_number: str) -> CallQueue | None:
    """The newest running campaign that calls from this number, else the newest running one."""
    running = select(CallQueue).where(CallQueue.state == "running").order_by(CallQueue.id.desc()).limit(1)
    reading = normalise(to_number)
    number = reading.numbers[0].e164 if len(reading.numbers) == 1 else to_number
    return session.scalar(running.where(CallQueue.caller_id == number)) or session.scalar(running)


def _only_person(session: Session, phone: str) -> int | None:
    """The person of this phone, when it is one person's."""
    found = session.scalars(select(Contact.id).where(Contact.phone == phone).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _open_attempt(session: Session, phone: str, queue: CallQueue, contact_id: int | None) -> UUID | None:
    row = {
        "id": uuid4(), "channel": "call", "purpose": queue.purpose, "contact_id": contact_id, "phone": phone,
        "at": campaign_now(session), "created_at": real_now(), "deadline_at": real_now() + MENU,
    }  # fmt: skip
    # A phone has one open call at a time: who rings us while we ring them is reached by ours.
    return session.scalar(insert(Attempt).values(row).on_conflict_do_nothing().returning(Attempt.id))
