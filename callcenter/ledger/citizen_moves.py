"""Citizens who change rooms: the wish stands in the ledger until the switch has done it, and is asked for till then.

Of two wishes the later one counts, whatever job runs first. Until a citizen has left, nobody else is let into the room.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.outbox import enqueue_later
from callcenter.ledger.call_ledger import Call, lock
from callcenter.ledger.call_legs import CallLeg

OPERATORS = "op-"  # how the name of an operator's room begins
PATIENCE = timedelta(seconds=3)  # a move not done by then has lost its job


def ask(session: Session, call: Call, room: str, *, leaves: int | None = None) -> None:
    """Have the citizen moved after the commit. `leaves`: the operator whose room is not theirs any more. The caller
    holds the call's row."""
    call.wanted_room, call.wanted_at = room, real_now()
    call.leaves_room = call.leaves_room or leaves  # they stand where they stood until the first move is done
    session.flush()
    _move_later(session, call.id)


def wanted(session: Session, call_id: UUID) -> tuple[str, str] | None:
    """The citizen's leg and where it is to be; None when it is there, or gone."""
    call = lock(session, call_id)
    if call is None or call.wanted_room is None or call.carrier_ref is None or call.hung_up_at is not None:
        return None
    return call.carrier_ref, call.wanted_room


def done(session: Session, call_id: UUID, room: str) -> None:
    """The switch has moved them there; a later wish stays, and takes them from there."""
    call = lock(session, call_id)
    if call is None or call.wanted_room is None:
        return
    if call.wanted_room == room:
        _forget(call)
    elif call.leaves_room is not None and room.startswith(OPERATORS):
        call.leaves_room = int(room.removeprefix(OPERATORS))


def sweep(session: Session) -> None:
    """Ask again for moves whose job was lost or broke off; forget those of citizens who are gone."""
    late = select(Call).where(Call.wanted_room.is_not(None), Call.wanted_at < real_now() - PATIENCE)
    for call in session.scalars(late.with_for_update(of=Call, skip_locked=True)):
        if call.hung_up_at is not None:
            _forget(call)
        else:
            call.wanted_at = real_now()
            _move_later(session, call.id)


def is_room_taken(operator_id: Any) -> Any:
    """The condition of an operator in whose room somebody may still be: their citizen, one who has not left yet, or
    whom they asked in. `operator_id`: a column."""
    theirs = and_(Call.operator_id == operator_id, Call.connected_at.is_not(None), Call.handed_out_at.is_(None))
    asked_in = or_(CallLeg.kind == "consult", CallLeg.room == func.concat(OPERATORS, operator_id))
    return or_(
        exists().where(theirs, Call.hung_up_at.is_(None)),
        exists().where(Call.leaves_room == operator_id, Call.hung_up_at.is_(None)),
        exists().where(CallLeg.asked_by == operator_id, CallLeg.ended_at.is_(None), asked_in),
    )


def _forget(call: Call) -> None:
    call.wanted_room = call.wanted_at = call.leaves_room = None


def _move_later(session: Session, call_id: UUID) -> None:
    enqueue_later(session, "callcenter.ledger.call_act_jobs.move", str(call_id), queue="urgent")
