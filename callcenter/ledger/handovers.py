"""Operators among themselves: who can take over a call, who is being consulted, and the change of hands."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.clock import real_now
from callcenter.operators import Operator, is_free, serves
from callcenter.queues import CallQueue

CONSULTED = "consulted"  # the pause of who is asked by a colleague: no call is offered meanwhile


def free_for_transfer(session: Session, operator_id: int | None, switch: str | None) -> list[Operator]:
    """Operators who could take a call over now, by name; never who has it already, never one on another switch."""
    found = session.scalars(_free(operator_id, switch)).all()
    return sorted(found, key=lambda each: each.user.full_name)


def queues_served(session: Session, operator_ids: list[int]) -> list[dict[str, Any]]:
    """Running queues that one of these operators takes calls of: id, name."""
    running = select(CallQueue.id, CallQueue.name).where(CallQueue.state == "running").order_by(CallQueue.name)
    return [
        {"id": queue_id, "name": name}
        for queue_id, name in session.execute(running)
        if session.scalar(select(Operator.id).where(Operator.id.in_(operator_ids), serves(queue_id)).limit(1))
    ]


def take_for_transfer(session: Session, giver: int | None, switch: str | None, *, operator_id: int | None,
                      queue_id: int | None) -> int | None:  # fmt: skip
    """Hold the row of the operator who takes a call: this one, or who has waited longest in the queue; None when
    nobody is free."""
    wanted = _free(giver, switch).order_by(Operator.state_since).limit(1)
    wanted = wanted.where(Operator.id == operator_id if operator_id is not None else serves(queue_id or 0))
    locked = wanted.with_for_update(of=Operator, skip_locked=True).execution_options(populate_existing=True)
    operator = session.scalar(locked)
    return operator.id if operator else None


def hand_over(session: Session, call_id: UUID, giver: int, taker: int) -> None:
    """The call is the taker's now; the giver goes on to what they asked for, else is free. The caller holds the row."""
    both = {each: operators.locked(session, each) for each in sorted((giver, taker))}
    operators.release(session, call_id)
    session.flush()
    new = both[taker]
    new.call_id = call_id
    new.pause_reason = None if new.pause_reason == CONSULTED else new.pause_reason
    operators.enter(session, new, "in_call")
    operators.tell(session, new)


def begin_consult(session: Session, operator_id: int) -> None:
    """A colleague asks: no call comes meanwhile."""
    operator = operators.locked(session, operator_id)
    operator.pause_reason = CONSULTED
    operators.enter(session, operator, "paused")
    operators.tell(session, operator)


def can_take(session: Session, operator_id: int) -> bool:
    """Is the colleague who was asked still there, and in no call that came meanwhile?"""
    operator = operators.locked(session, operator_id)
    return operator.call_id is None and operator.has_room and operator.state != "offline"


def end_consult(session: Session, operator_id: int) -> None:
    """Free again, unless they chose something else meanwhile."""
    operator = operators.locked(session, operator_id)
    if operator.state == "paused" and operator.pause_reason == CONSULTED:
        operators.enter(session, operator, "available")
        operators.tell(session, operator)


def name_of(session: Session, operator_id: int) -> str:
    """The operator's full name; '' for nobody."""
    operator = session.get(Operator, operator_id)
    return operator.user.full_name if operator else ""


def _free(giver: int | None, switch: str | None) -> Any:
    wanted = select(Operator).where(is_free(real_now()), Operator.id != (giver or 0))
    return wanted.where(Operator.room_ref.startswith(f"{switch}/", autoescape=True)) if switch else wanted
