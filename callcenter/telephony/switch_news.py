"""What a switch says, written into the ledger, and what is to be asked of it once that is committed.

Harmless when an event comes twice, late or in another order: every one has its key, and the ledger moves by its table.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, queues, recordings, switches
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.carriers.asterisk import actions, causes, events
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.events import Leg
from callcenter.ledger import call_ledger, inbound, leg_news
from callcenter.ledger.call_ledger import Call, CallEvent
from callcenter.ledger.call_states import RING_SECONDS
from callcenter.operators import Operator
from callcenter.seats import operator_rooms
from callcenter.supervision import supervision
from callcenter.telephony import softphones, trunk_health, trunk_tests

OUR_CANCEL = "hang_up_asked"  # kept in call_events by whoever takes a call down that nobody has answered
RUNG_OUT = timedelta(seconds=RING_SECONDS - 1)
NO_TRUNK = 38  # Q.850: what we note when not even a channel came to be


def take(session: Session, switch: str, news: events.News) -> list[Action]:
    """Write one piece of news; returns what the switch is to be asked for after the commit."""
    match news:
        case events.Answered() | events.Abandoned() | events.Judged():  # who calls us says Arrived
            return _of_citizen(session, switch, news) if _is_call(session, news.leg) else []
        case events.Entered(leg, room):
            return _entered(session, switch, leg, room)
        case events.Arrived(leg, caller, called):
            call_id = inbound.arrived(session, f"{switch}/{leg.id}", caller, called)
            return actions.movement(leg.id, "goodbye" if call_id is None else "recording")
        case events.Browser(name, is_there, contact):
            softphones.registered(session, name, is_there, contact or None)
        case events.TrunkContact(trunk, is_there, detail):
            trunk_health.answers(session, trunk, is_there, detail)
        case events.Registration(username, domain, is_registered, detail):
            for trunk_id in trunk_health.of_registration(session, switch, username, domain):
                trunk_health.heard(session, trunk_id, is_registered, detail)
        case events.Booted(seconds):
            switches.heard(session, switch, booted_at=real_now() - timedelta(seconds=seconds))
        case _:
            _of_leg(session, news, f"{switch}/{news.leg.id}")
    return []


def _of_citizen(
    session: Session, switch: str, news: events.Answered | events.Abandoned | events.Judged
) -> list[Action]:
    match news:
        case events.Answered(leg):
            return answer(session, switch, leg)
        case events.Abandoned(leg):
            return _abandoned(session, switch, leg)
        case _:
            return _judged(session, news)


def _of_leg(session: Session, news: events.LegNews, ref: str) -> None:
    """News after which nothing is to be asked for."""
    match news:
        case events.Ringing(leg):
            _ringing(session, leg, ref)
        case events.Up(leg):
            _up(session, leg, ref)
        case events.Refused():
            _refused(session, news, ref)
        case events.Ended():
            _ended(session, news, ref)
        case events.Said(leg, raw):
            if leg.uuid is not None and _is_call(session, leg):
                calls.record_event(session, leg.uuid, Event("said", "ami:said", raw))
        case events.Left(leg, room):
            if room == f"op-{leg.number}":
                _room_gone(session, leg, ref)


def _ringing(session: Session, leg: Leg, ref: str) -> None:
    if leg.uuid is None:
        return
    ringing = Event("ringing", "ami:ringing", ref=ref)
    if _is_call(session, leg):
        calls.record_event(session, leg.uuid, ringing)
    elif not leg_news.heard(session, leg.uuid, "ringing", ref=ref):
        trunk_tests.heard(session, leg.uuid, ringing)


def _up(session: Session, leg: Leg, ref: str) -> None:
    """A citizen's leg that is up does not stand in our dialplan yet: see events.Answered."""
    if leg.kind == "supervisor":
        supervision.heard(session, ref, "up")
    elif leg.uuid is None or _is_call(session, leg):
        return
    elif not leg_news.heard(session, leg.uuid, "up", ref=ref):
        trunk_tests.heard(session, leg.uuid, Event("answered", "ami:answered", ref=ref))


def _judged(session: Session, news: events.Judged) -> list[Action]:
    """Only a clear MACHINE is one, and only where the queue does not merely try the judgement out."""
    assert news.leg.uuid is not None
    call = calls.locked(session, news.leg.uuid)
    said = {"status": news.status, "cause": news.cause, "ms": news.ms}
    calls.record_event(session, call.id, Event("judged", "ami:judged", said))
    if news.status != "MACHINE" or queues.get(session, call.queue_id).machine_detection != "on":
        return []
    calls.record_event(session, call.id, Event("machine", "ami:machine", said))
    return [actions.hang_up(news.leg.id)]


def _entered(session: Session, switch: str, leg: Leg, room: str) -> list[Action]:
    if leg.kind != "operator" or leg.number is None or room != f"op-{leg.number}":
        return []
    if session.get(Operator, leg.number) is None:
        return [actions.hang_up(leg.id)]
    operator_rooms.opened(session, leg.number, f"{switch}/{leg.id}")
    return []


def answer(session: Session, switch: str, leg: Leg) -> list[Action]:
    """A citizen stands in our dialplan: into the room of whoever takes the call. Nothing while nobody is free: they
    wait, and whoever listens asks again (callcenter.ledger.waiting_calls). Asked again, the same."""
    assert leg.uuid is not None
    calls.answer(session, leg.uuid, Event("answered", "ami:answered", ref=f"{switch}/{leg.id}"))
    call = calls.locked(session, leg.uuid)
    if call.state == "connected":
        recordings.begin(session, call.id)
        return _into_room(call, leg)
    if call.state == "answered":
        return []
    if call.attempt.outcome == "abandoned":
        return actions.movement(leg.id, "goodbye")
    return [actions.hang_up(leg.id)]  # it is over in our books


def _abandoned(session: Session, switch: str, leg: Leg) -> list[Action]:
    """Nobody moved the citizen in time. One who was given to an operator at the last moment goes there all the same:
    the order to move them is on its way, or got lost."""
    assert leg.uuid is not None
    calls.record_event(session, leg.uuid, Event("answered", "ami:answered", ref=f"{switch}/{leg.id}"))
    calls.record_event(session, leg.uuid, Event("abandoned", "abandoned"))
    call = calls.locked(session, leg.uuid)
    return _into_room(call, leg) if call.state == "connected" else []


def _into_room(call: Call, leg: Leg) -> list[Action]:
    return actions.movement(leg.id, "recording" if call.operator_id is None else f"op-{call.operator_id}")


def _ended(session: Session, news: events.Ended, ref: str) -> None:
    leg = news.leg
    if leg.kind == "operator":
        _room_gone(session, leg, ref)
    elif leg.kind == "supervisor":
        supervision.heard(session, ref, "ended")
    elif (call_id := call_of(session, leg, ref)) is not None:
        _call_ended(session, call_id, news, ref)
    elif leg.uuid is not None and not leg_news.heard(session, leg.uuid, "ended", news.raw, ref):
        found = causes.meaning(news.q850, news.sip_code)
        kind = found.event if found else "hung_up"
        trunk_tests.heard(session, leg.uuid, Event(kind, "ami:ended", news.raw, ref))


def _call_ended(session: Session, call_id: UUID, news: events.Ended, ref: str) -> None:
    call = calls.locked(session, call_id)
    if _said(session, call_id, "ami:ended") is not None:
        return
    if call.state != "ended" and call.answered_at is None and _said(session, call_id, "ami:said") is not None:
        # They picked up, and hung up while it was judged who did: nobody called them a machine.
        calls.record_event(session, call_id, Event("answered", "ami:answered", ref=ref))
    if call.answered_at is not None:
        hung_up = Event("hung_up", "ami:ended", news.raw, ref)
        if call.direction == "in":
            inbound.left(session, call_id, hung_up)
        else:
            calls.record_event(session, call_id, hung_up)
        if call.connected_at is not None:
            recordings.ended(session, call_id)
            leg_news.citizen_left(session, call_id)
    else:
        calls.record_event(session, call_id, Event("line_ended", "ami:ended", news.raw, ref))
        found, refused = causes.meaning(news.q850, news.sip_code), _said(session, call_id, "ami:refused")
        if found is not None:
            _unanswered(session, call, found, news.raw)
        elif refused is not None:
            _unanswered(session, call, _undecided(session, call, refused.get("Reason")), {**refused, **news.raw})
    trunk_id = call.trunk_id or news.trunk
    if call.direction == "out" and trunk_id is not None:
        trunk_health.note_result(session, trunk_id, news.q850, news.sip_code)


def _refused(session: Session, news: events.Refused, ref: str) -> None:
    """An order came to nothing. The line's own words are better: this decides only what they leave open."""
    leg, said = news.leg, {"Reason": news.reason}
    if leg.kind == "operator" and leg.number is not None and session.get(Operator, leg.number) is not None:
        operator_rooms.not_opened(session, leg.number)
    elif leg.kind == "supervisor":
        supervision.heard(session, ref, "ended")
    elif leg.uuid is not None and _is_call(session, leg):
        _call_refused(session, leg.uuid, news, ref)
    elif leg.uuid is not None and not news.has_leg and not leg_news.heard(session, leg.uuid, "ended", said, ref):
        trunk_tests.heard(session, leg.uuid, Event("not_placed", "ami:ended", said, ref))


def _call_refused(session: Session, call_id: UUID, news: events.Refused, ref: str) -> None:
    call, said = calls.locked(session, call_id), {"Reason": news.reason}
    if _said(session, call_id, "ami:refused") is not None:
        return
    calls.record_event(session, call_id, Event("refused", "ami:refused", said, ref))
    ended = _said(session, call_id, "ami:ended")
    if not news.has_leg:
        _unanswered(session, call, causes.NEVER_RANG, said)
        if call.trunk_id is not None:
            trunk_health.note_result(session, call.trunk_id, NO_TRUNK, None)
    elif ended is not None:
        _unanswered(session, call, _undecided(session, call, news.reason), {**said, **ended})


def _undecided(session: Session, call: Call, reason: int | None) -> causes.Meaning:
    """Both have spoken, and the cause says nothing: our own cancel, Asterisk's reason, or our own timer decide."""
    if _said(session, call.id, OUR_CANCEL) is not None:
        return causes.CANCELED
    rang_out = call.placed_at is not None and real_now() - call.placed_at > RUNG_OUT
    return causes.meaning(None, None, 3 if rang_out and reason is None else reason) or (
        causes.NOT_ANSWERED if rang_out else causes.BROKEN
    )


def _unanswered(session: Session, call: Call, found: causes.Meaning, raw: Mapping[str, object]) -> None:
    code = {"code": "trunk_fault"} if found.is_ours else {}
    calls.record_event(session, call.id, Event(found.event, "ami:outcome", {**code, **raw}))


def _room_gone(session: Session, leg: Leg, ref: str) -> None:
    operator = session.get(Operator, leg.number, populate_existing=True)
    if operator is not None and operator.room_ref == ref:  # else it was replaced, or never became their room
        operator_rooms.lost(session, operator.id, ref)


def call_of(session: Session, leg: Leg, ref: str) -> UUID | None:
    """The call whose citizen's leg this is: by its id, or, of somebody who called us, by its reference."""
    if leg.uuid is not None:
        return leg.uuid if _is_call(session, leg) else None
    return session.scalar(select(Call.id).where(Call.carrier_ref == ref))


def _is_call(session: Session, leg: Leg) -> bool:
    """Is this the leg of a call? Then the call is locked."""
    return leg.uuid is not None and call_ledger.lock(session, leg.uuid) is not None


def _said(session: Session, call_id: UUID, key: str) -> dict[str, Any] | None:
    """What is kept of the call under this key."""
    return session.scalar(select(CallEvent.payload).where(CallEvent.call_id == call_id, CallEvent.key == key))
