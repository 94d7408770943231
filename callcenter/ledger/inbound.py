"""Calls to our numbers: who rings back hears who called them and why, may ask not to be called again, leaves a message,
or gets an operator.

A short menu comes first: surveys.faces.reception has its words, scripts.ivr speaks it at an Asterisk of ours, and
surveys.voice.reception_hooks lets Twilio speak it. What the citizen chooses comes back to `choose`. Such a call is in
the ledger like any other, with `direction` in; the gate is not asked, since it is they who call.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import calls, consent, operators, queues, recordings, suppressions
from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.gate import rulebook
from callcenter.ledger import inbound_waits
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.inbound_waits import MENU, PATIENCE
from callcenter.operators import Operator
from callcenter.phones import normalise
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue, QueueEntry
from callcenter.sound import voice_messages

MEMORY = timedelta(days=30)  # how long after our call a number that rings back is taken for its answer
BACK_IN = timedelta(minutes=10)  # nobody was free: we call back no sooner
CHOICES = ("operator", "opt_out", "message", "none")
AT_WORK = ("available", "preview", "in_call", "wrap_up")  # an operator in one of these may be free in a moment

WITHHELD = "withheld/"  # begins what stands for the phone of somebody who hides it
# How carriers write a hidden number: as a word, or as that word on a telephone's keys.
# https://www.twilio.com/en-us/changelog/upcoming-changes-to-withheld-caller-ids-behavior-for-dial-calls
_HIDDEN = ("anonymous", "restricted", "blocked", "unknown", "unavailable", "private")
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_HIDDEN_NUMBERS = frozenset("+" + word.translate(_KEYPAD) for word in _HIDDEN)
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


@dataclass(frozen=True)
class Menu:
    """What the menu says: on whose behalf we called and for what (a purpose of callcenter.calendar), where the privacy
    notice is, in which language. `has_called`: we did call this number; `is_open`: it is an hour at which operators
    answer; `is_withheld`: the number is hidden, hence nobody can be kept from calling it."""

    on_behalf_of: str
    privacy_notice_url: str
    language: str
    purpose: str
    has_called: bool
    is_open: bool
    is_withheld: bool


def arrived(session: Session, ref: str, from_number: str, to_number: str) -> UUID | None:
    """Write a call down that came in, answered; its id, or None (see `why_not`) when there is no campaign it could
    belong to or this number is in a call of ours already. `ref` is the carrier's reference. Asked twice, the same id.
    """
    known = of_ref(session, ref)
    if known is not None:
        return known
    phone = phone_of(from_number)
    before = _called_before(session, phone) if phone else None
    queue = queues.get(session, before.queue_id) if before else _queue_of(session, to_number)
    if queue is None:
        return None
    contact_id = before.attempt.contact_id if before else _only_person(session, phone)
    call_id = _open_attempt(session, phone or f"{WITHHELD}{uuid4()}", queue, contact_id)
    if call_id is None:
        return None
    entry_id = before.entry_id if before else None
    call = Call(
        id=call_id, queue_id=queue.id, entry_id=entry_id, script=queue.script, carrier=queue.carrier,
        caller_id=to_number, direction="in", state="answered", carrier_ref=ref, answered_at=real_now(),
    )  # fmt: skip
    session.add(call)
    session.flush()
    calls.note_event(session, call, "arrived")
    tell_later(session, "floor")
    return call_id


def why_not(session: Session, from_number: str) -> str:
    """Why a call that arrived has no place in the ledger: `in_call` (we ring this number, or our last call with it is
    being written up) or `no_campaign`."""
    phone = phone_of(from_number)
    is_open = select(Attempt.id).where(Attempt.phone == phone, Attempt.channel == "call", Attempt.closed_at.is_(None))
    return "in_call" if phone and session.scalar(is_open) is not None else "no_campaign"


def of_ref(session: Session, ref: str) -> UUID | None:
    """The call that came in under this reference of the carrier."""
    return session.scalar(select(Call.id).where(Call.carrier_ref == ref, Call.direction == "in"))


def phone_of(said: str) -> str | None:
    """The caller's number as we keep it, also a foreign one; None when it is hidden, or no number. Pure."""
    reading = normalise(said)
    if len(reading.numbers) == 1:
        return reading.numbers[0].e164
    return said if _E164.fullmatch(said) and said not in _HIDDEN_NUMBERS else None


def menu(session: Session, call_id: UUID) -> Menu:
    """What to say to who rings us."""
    call = calls.locked(session, call_id)
    _await(call)
    queue = queues.get(session, call.queue_id)
    contact = session.get(Contact, call.attempt.contact_id) if call.attempt.contact_id else None
    return Menu(
        queue.on_behalf_of, queue.privacy_notice_url, (contact.language if contact else None) or "es", queue.purpose,
        has_called=_called_before(session, call.attempt.phone) is not None, is_open=_is_open(session),
        is_withheld=call.attempt.phone.startswith(WITHHELD),
    )  # fmt: skip


def choose(session: Session, call_id: UUID, choice: str) -> str:
    """What the citizen chose (one of CHOICES), done; returns what comes next: the room to move them to, `wait` (ask
    again in a moment), `callback` (nobody is free, and we call them back), `nobody` (nobody is free, and we cannot),
    `message` (they may speak now), or `goodbye`. Asked again, the same. Raises ValueError for another choice."""
    if choice not in CHOICES:
        raise ValueError(f"{choice!r} is none of {', '.join(CHOICES)}")
    call = calls.locked(session, call_id)
    found_nobody = call.state == "ended" and call.attempt.outcome == "inbound_missed"
    if call.state != "answered" and not (found_nobody and choice in ("message", "opt_out")):
        return _said_before(session, call)
    _await(call)
    if choice == "operator":
        return _connect(session, call)
    if choice == "message":
        voice_messages.begin(session, call)
        return _close(session, call, "inbound_message", "message")
    if choice == "opt_out" and not call.attempt.phone.startswith(WITHHELD):
        if suppressions.find(session, call.attempt.phone) is None:
            consent.opt_out(session, call.attempt.phone, reason="call", proof=f"call/{call.id}", source="inbound")
        return _close(session, call, "inbound_opted_out", "goodbye")
    return _close(session, call, "inbound_informed", "goodbye")


def left(session: Session, call_id: UUID, event: Event) -> None:
    """The citizen hung up (`event` says so): who was waiting for an operator is called back. Harmless when repeated."""
    call = calls.locked(session, call_id)
    if call.state == "answered" and inbound_waits.began(session, call.id) is not None:
        _promise(session, call)
    calls.record_event(session, call_id, event)


def _connect(session: Session, call: Call) -> str:
    operator_id = calls.connect(session, call, first=_who_called(session, call))
    if operator_id is not None:
        recordings.begin(session, call.id)
        return f"op-{operator_id}"
    calls.record_event(session, call.id, Event(inbound_waits.WAITS, inbound_waits.WAITS))
    since = inbound_waits.began(session, call.id)
    is_patient = since is not None and real_now() < since + PATIENCE
    return "wait" if is_patient and _is_anybody_at_work(session, call) else _promise(session, call)


def _await(call: Call) -> None:
    """The citizen has just been heard of: the sweep asks about the call no sooner than MENU from now."""
    if call.state == "answered":
        call.attempt.deadline_at = real_now() + MENU


def _close(session: Session, call: Call, kind: str, says: str) -> str:
    calls.record_event(session, call.id, Event(kind, kind))
    return says


def _promise(session: Session, call: Call) -> str:
    says = _nobody_free(session, call)
    if says == "callback":
        queue_entries.promise_callback(session, call.entry_id, campaign_now(session) + BACK_IN, None)
    return _close(session, call, "inbound_missed", says)


def _nobody_free(session: Session, call: Call) -> str:
    """`callback` where the campaign still calls this person, else `nobody`."""
    entry = session.get(QueueEntry, call.entry_id) if call.entry_id else None
    goes_on = entry is not None and queues.get(session, call.queue_id).state != "finished"
    return "callback" if goes_on else "nobody"


def _said_before(session: Session, call: Call) -> str:
    if call.state == "connected" and call.operator_id:
        return f"op-{call.operator_id}"
    outcome = call.attempt.outcome
    if outcome == "inbound_missed":
        return _nobody_free(session, call)
    return "message" if outcome == "inbound_message" else "goodbye"


def _is_open(session: Session) -> bool:
    """Is it an hour at which the house calls people?"""
    now = campaign_now(session).astimezone(ZONE)
    opens, closes = rulebook.read(session).hours_on(now.date())
    return opens <= now.time() < closes


def _is_anybody_at_work(session: Session, call: Call) -> bool:
    """May an operator of this queue be free in a moment?"""
    at_work = Operator.state.in_(AT_WORK), Operator.room_opened_at.is_not(None), operators.serves(call.queue_id)
    return session.scalar(select(Operator.id).where(*at_work).limit(1)) is not None


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
    """The newest running campaign that calls from this number, else the newest running one, else the newest that ever
    showed this number."""
    newest = select(CallQueue).order_by(CallQueue.id.desc()).limit(1)
    running, of_number = newest.where(CallQueue.state == "running"), CallQueue.caller_id == phone_of(to_number)
    wanted = (running.where(of_number), running, newest.where(of_number, CallQueue.state != "draft"))
    return next((found for one in wanted if (found := session.scalar(one)) is not None), None)


def _only_person(session: Session, phone: str | None) -> int | None:
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
