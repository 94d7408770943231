"""The ledger and a switch that was not listened to for a while: what each believes, made one again."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from callcenter import calls, operators, recordings, switches
from callcenter.base.errors import NotFound
from callcenter.calls import Event
from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.events import UP, Leg
from callcenter.carriers.asterisk.packets import Packet
from callcenter.ledger import leg_news
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_legs import CallLeg
from callcenter.ledger.call_states import DIALLING
from callcenter.operators import Operator
from callcenter.seats import operator_rooms
from callcenter.supervision import supervision
from callcenter.supervision.supervision import Listening
from callcenter.telephony import switch_news, trunk_tests

YOUNG = timedelta(seconds=3)  # Asterisk may have accepted a call and not made its channel yet
ORDERED = timedelta(seconds=20)  # how long an order for another leg may take until its channel is there
STRAY_SECONDS = 5  # somebody who called us is not written down at once


@dataclass(frozen=True)
class Channel:
    """One channel that is there. `exten`: where in the dialplan; `seconds`: since when."""

    leg: Leg
    is_up: bool
    context: str
    exten: str
    application: str
    seconds: int

    @property
    def is_waiting(self) -> bool:
        """Has the citizen picked up, and has nobody moved them yet?"""
        return self.is_up and self.exten == "wait"


def channels(told: Iterable[Packet]) -> dict[str, Channel]:
    """The channels of an answer to Status, by unique id."""
    found = {}
    for packet in told:
        if packet.event == "Status":
            leg, seconds = Leg.read(packet.get("Uniqueid")), packet.get("Seconds")
            found[leg.id] = Channel(
                leg, packet.get("ChannelState") == UP, packet.get("Context"), packet.get("Exten"),
                packet.get("Application"), int(seconds) if seconds.isdecimal() else 0,
            )  # fmt: skip
    return found


def contacts(told: Iterable[Packet]) -> dict[str, str]:
    """Browsers that are there, of an answer to PJSIPShowContacts: account → address."""
    return {packet.get("Aor"): packet.get("Uri") for packet in told if packet.event == "ContactList"}


def missing(session: Session, switch: str, present: Collection[str], before: datetime) -> tuple[list[UUID], bool]:
    """Calls that the ledger has on the switch and the switch has not; and whether others are too young to tell.
    `before`: when the switch was asked."""
    at = func.greatest(Call.placed_at, Call.ringing_at, Call.answered_at)
    unended = Call.hung_up_at.is_(None) & or_(Call.state != "ended", Call.connected_at.is_not(None))
    rows = session.execute(select(Call.id, Call.carrier_ref, at).where(_on(Call.carrier_ref, switch), unended)).all()
    gone = [(call_id, since) for call_id, ref, since in rows if ref.partition("/")[2] not in present]
    old = [call_id for call_id, since in gone if since is None or since < before - YOUNG]
    return old, len(old) < len(gone)


def may_have_waited(session: Session, call_ids: Collection[UUID]) -> list[UUID]:
    """Those of whom we heard no answer: the switch may know that they picked up (carriers.asterisk.actions.waited)."""
    unheard = Call.state.in_(("placing", "unknown", "ringing"))
    return list(session.scalars(select(Call.id).where(Call.id.in_(call_ids), unheard, Call.direction == "out")))


def close(session: Session, switch: str, call_id: UUID, *, waited: bool = False) -> None:
    """The call has ended and nobody told us how: the switch was started anew, or we did not listen. `waited`: the
    citizen picked up and nobody moved them."""
    if waited:
        calls.record_event(session, call_id, Event("answered", "ami:answered", {"why": "unheard"}))
    call, booted_at = calls.locked(session, call_id), switches.named(session, switch).booted_at
    began = call.placed_at or call.attempt.created_at
    why = "switch_restarted" if booted_at is not None and booted_at > began else "unheard"
    kind = "lost" if call.state in (*DIALLING, "connected") else "hung_up"
    calls.record_event(session, call_id, Event(kind, "ami:gone", {"why": why}))
    if call.answered_at is not None:
        recordings.ended(session, call_id)
        leg_news.citizen_left(session, call_id)


def meet(session: Session, switch: str, channel: Channel) -> list[Action]:
    """What is to be done with a channel that is there."""
    leg, ref = channel.leg, f"{switch}/{channel.leg.id}"
    call_id = switch_news.call_of(session, leg, ref)
    if call_id is not None:
        return _meet_citizen(session, switch, channel, call_id)
    if leg.kind == "operator":
        return _meet_operator(session, channel, ref)
    if leg.kind == "supervisor":
        return _meet_supervisor(session, channel, ref)
    if leg.kind == "ours" and leg.uuid is not None:
        is_leg = leg_news.heard(session, leg.uuid, "up" if channel.is_up else "ringing", ref=ref)
        is_ours = is_leg or trunk_tests.heard(session, leg.uuid, Event("placed", "ami:placed", ref=ref))
        is_tried = channel.exten == "recording"  # somebody hears a recorded survey on trial: scripts.ivr knows of it
        return [] if is_ours or is_tried else [actions.hang_up(leg.id)]
    is_stray = leg.kind == "foreign" and channel.context in ("from-trunk", "citizen")
    return [actions.hang_up(leg.id)] if is_stray and channel.seconds > STRAY_SECONDS else []


def forget_rooms(session: Session, switch: str, present: Collection[str], before: datetime) -> None:
    """Operators, supervisors and invited people whose leg is gone: a new one, or the news that it is over. `before`:
    when the switch was asked; a leg that was only just ordered then is left to its own patience."""
    is_listened = or_(Listening.heard_at < before, Listening.asked_at < before - ORDERED)
    is_up = or_(CallLeg.answered_at < before, CallLeg.created_at < before - ORDERED)
    rooms = select(Operator.id, Operator.room_ref).where(_on(Operator.room_ref, switch))
    for operator_id, room in session.execute(rooms).all():
        if room and room.partition("/")[2] not in present:
            operator_rooms.lost(session, operator_id, room)
    listened = select(Listening.ref).where(Listening.ended_at.is_(None), _on(Listening.ref, switch), is_listened)
    for ref in session.scalars(listened).all():
        if ref and ref.partition("/")[2] not in present:
            supervision.heard(session, ref, "ended")
    live = select(CallLeg.id).where(CallLeg.ended_at.is_(None), _on(CallLeg.ref, switch), is_up)
    for leg_id in session.scalars(live).all():
        if str(leg_id) not in present:
            leg_news.heard(session, leg_id, "ended", {"why": "unheard"})


def _meet_citizen(session: Session, switch: str, channel: Channel, call_id: UUID) -> list[Action]:
    call = calls.locked(session, call_id)
    if channel.exten == "goodbye":  # they hear the apology, and it ends by itself
        if call.state in DIALLING and call.direction == "out":
            calls.record_event(session, call.id, Event("answered", "ami:answered", ref=f"{switch}/{channel.leg.id}"))
            calls.record_event(session, call.id, Event("abandoned", "abandoned", {"why": "unheard"}))
        return []
    if call.state == "ended":
        return [] if call.handed_out_at else [actions.hang_up(channel.leg.id)]
    if channel.is_waiting and call.direction == "out" and call.state in (*DIALLING, "connected"):
        return switch_news.answer(session, switch, channel.leg)
    return []


def _meet_operator(session: Session, channel: Channel, ref: str) -> list[Action]:
    number = channel.leg.number
    try:
        operator = operators.locked(session, number or 0)
    except NotFound:
        return [actions.hang_up(channel.leg.id)]
    if operator.state == "offline":
        return [actions.hang_up(channel.leg.id)]
    if channel.application == "ConfBridge" and operator.room_ref != ref:
        operator_rooms.opened(session, operator.id, ref)
    return []


def _meet_supervisor(session: Session, channel: Channel, ref: str) -> list[Action]:
    """Nobody listens without its standing in the ledger."""
    if channel.is_up and supervision.is_over(session, ref):
        return [actions.hang_up(channel.leg.id)]
    if channel.is_up:
        supervision.heard(session, ref, "up")
    return []


def _on(ref: Any, switch: str) -> Any:
    """The condition of a reference to this switch."""
    return ref.startswith(f"{switch}/", autoescape=True)
