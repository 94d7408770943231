"""What an operator does in a call beside talking: hold, keys, consulting somebody, handing the call over.

Only with a carrier that can (carriers.can): hold, keys, transfer, consult. The ledger is written first; a worker then
asks the carrier. A citizen is never left without anybody: what cannot be reached gives them back.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import calls, carriers, recordings
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.calls import Event
from callcenter.ledger import call_legs, citizen_moves, handovers, leg_news, transfer_targets
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_legs import CallLeg

KEYS = re.compile(r"[0-9*#]{1,20}")
KINDS = ("operator", "queue", "outside")


@dataclass(frozen=True)
class Target:
    """Whom a call goes to. `kind`: operator (id), queue (id; who has waited longest in it), outside (a target's id)."""

    kind: str
    id: int


def hold(session: Session, call_id: UUID, operator_id: int, *, on: bool) -> None:
    """Music for the citizen, or back into the operator's room."""
    call = _talking(session, call_id, operator_id)
    if bool(call.held_at) == on:
        return
    call.held_at = real_now() if on else None
    _move(session, call, "hold" if on else room_of(operator_id))
    calls.note_event(session, call, "held" if on else "unheld")


def send_keys(session: Session, call_id: UUID, operator_id: int, keys: str) -> None:
    """Play keys to whom the operator talks with: the outside leg while there is one, else the citizen."""
    if not KEYS.fullmatch(keys):
        raise InvalidInput({"keys": _("Keys are the digits 0 to 9, * and #.")})
    _talking(session, call_id, operator_id)
    enqueue_later(session, "callcenter.ledger.call_act_jobs.send_keys", str(call_id), keys, queue="urgent")


def consult(session: Session, call_id: UUID, operator_id: int, target: Target) -> CallLeg:
    """Talk to somebody while the citizen hears music. Raises Refused while another leg lives."""
    call = _talking(session, call_id, operator_id)
    _has_no_leg(session, call)
    if target.kind != "outside" and not carriers.can("consult"):
        raise Refused(
            "no_consult", _("Colleagues cannot be asked first with this carrier: hand the call over at once.")
        )
    if target.kind == "outside":
        allowed = transfer_targets.get(session, target.id)
        leg = leg_news.ask(session, call, "outside", room_of(operator_id), operator_id, target_id=allowed.id)
    else:
        other = _free_operator(session, call, target)
        handovers.begin_consult(session, other)
        leg = leg_news.ask(session, call, "consult", room_of(other), operator_id, operator_id=other)
    if call.held_at is None:
        hold(session, call_id, operator_id, on=True)
    calls.note_event(session, call, "consulted", target=target.kind, target_id=target.id)
    return leg


def join_all(session: Session, call_id: UUID, operator_id: int) -> None:
    """Three in one room: the citizen comes back from the music while the other leg is up."""
    call, leg = _talking(session, call_id, operator_id), call_legs.live(session, call_id)
    if leg is None or leg.state != "up":
        raise Refused("nobody_there", _("Nobody else is on the line yet."))
    hold(session, call.id, operator_id, on=False)
    calls.note_event(session, call, "joined_all")


def complete(session: Session, call_id: UUID, operator_id: int) -> None:
    """Leave the citizen with whom was consulted."""
    call, leg = _talking(session, call_id, operator_id), call_legs.live(session, call_id)
    if leg is None or leg.state != "up":
        raise Refused("nobody_there", _("Nobody else is on the line yet."))
    if leg.operator_id is not None:
        if not handovers.can_take(session, leg.operator_id):
            raise _nobody_free()
        handovers.end_consult(session, leg.operator_id)
        _hand_over(session, call, leg.operator_id)
        leg_news.hang_up_later(session, leg)
    else:
        leg_news.leave_room_later(session, leg)
        _hand_out(session, call)
        _move(session, call, leg_news.meeting(call.id), leaves=operator_id)


def drop_leg(session: Session, call_id: UUID, operator_id: int) -> None:
    """End the other leg, or stop waiting for it; the citizen comes back."""
    call, leg = _talking(session, call_id, operator_id), call_legs.live(session, call_id)
    if leg is not None:
        leg_news.hang_up_later(session, leg)
    hold(session, call.id, operator_id, on=False)


def transfer(session: Session, call_id: UUID, operator_id: int, target: Target) -> None:
    """Hand the call over without a word before it."""
    call = _talking(session, call_id, operator_id)
    _has_no_leg(session, call)
    if target.kind != "outside":
        _hand_over(session, call, _free_operator(session, call, target))
        return
    allowed = transfer_targets.get(session, target.id)
    leg_news.ask(session, call, "outside", leg_news.meeting(call.id), operator_id, target_id=allowed.id)
    _hand_out(session, call)
    _move(session, call, "hold", leaves=operator_id)  # until the other side picks up: leg_news.heard


def choices(session: Session, call_id: UUID, operator_id: int) -> dict[str, list[dict[str, Any]]]:
    """To whom this call may go now: operators who are free, queues that have one, allowed outside numbers."""
    call = calls.of_operator(session, call_id, operator_id)
    there = handovers.free_for_transfer(session, operator_id, _switch(call))
    return {
        "operators": [{"id": each.id, "name": each.user.full_name} for each in there],
        "queues": handovers.queues_served(session, [each.id for each in there]),
        "outside": [{"id": each.id, "name": each.name} for each in transfer_targets.listed(session)],
    }


def room_of(operator_id: int) -> str:
    """The name of an operator's own room."""
    return f"op-{operator_id}"


def _talking(session: Session, call_id: UUID, operator_id: int) -> Call:
    if not carriers.can("hold"):
        raise Refused("no_switchboard", _("This carrier has no hold, keypad or transfer."))
    call = calls.of_operator(session, call_id, operator_id)
    if call.state != "connected" or call.handed_out_at is not None:
        raise Refused("call_over", _("The citizen is not on the line with you any more."))
    return call


def _has_no_leg(session: Session, call: Call) -> None:
    if call_legs.live(session, call.id) is not None:
        raise Refused("leg_lives", _("Somebody else is on the line already: end that first."))


def _free_operator(session: Session, call: Call, target: Target) -> int:
    if target.kind not in KINDS:
        raise InvalidInput({"kind": _("A call goes to an operator, a queue or an outside number.")})
    queue_id = target.id if target.kind == "queue" else None
    found = handovers.take_for_transfer(
        session, call.operator_id, _switch(call), operator_id=None if queue_id else target.id, queue_id=queue_id
    )
    if found is None:
        raise _nobody_free()
    return found


def _nobody_free() -> Refused:
    return Refused("nobody_free", _("Nobody is free there now. Stay with the citizen, or offer a callback."))


def _hand_over(session: Session, call: Call, to: int) -> None:
    giver = call.operator_id
    assert giver is not None  # a call in talk has its operator
    handovers.hand_over(session, call.id, giver, to)
    call.operator_id, call.held_at = to, None
    session.flush()
    _move(session, call, room_of(to), leaves=giver)
    calls.note_event(session, call, "handed_over", giver=giver, to=to)
    for operator_id in (giver, to):
        tell_later(session, f"operator/{operator_id}")


def _hand_out(session: Session, call: Call) -> None:
    """The citizen leaves the operator's room for an outside number; the operator writes the call up."""
    call.handed_out_at, call.held_at = real_now(), None
    session.flush()
    calls.record_event(session, call.id, Event("handed_out", f"handed_out:{uuid4()}"))
    recordings.handed_out(session, call.id)


def _move(session: Session, call: Call, room: str, *, leaves: int | None = None) -> None:
    citizen_moves.ask(session, call, room, leaves=leaves)
    if call.operator_id is not None:
        tell_later(session, f"operator/{call.operator_id}")


def _switch(call: Call) -> str | None:
    return carriers.switch_of(call.carrier_ref or "")
