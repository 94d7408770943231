"""What becomes of a call's other leg: asked for, heard of, ended. Whoever locks a leg locks its call first."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger import citizen_moves, handovers
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_legs import CallLeg, live
from callcenter.ledger.citizen_moves import PATIENCE

ANSWER_PATIENCE = timedelta(seconds=60)  # a leg neither answered nor ended by then is given up
ORPHANED = timedelta(seconds=5)  # a leg that outlives its citizen by so much is ended


def ask(session: Session, call: Call, kind: str, room: str, asked_by: int, *, target_id: int | None = None,
        operator_id: int | None = None) -> CallLeg:  # fmt: skip
    """Write a leg down and have a worker ask the carrier for it. The caller holds the call's row."""
    leg = CallLeg(id=uuid4(), call_id=call.id, kind=kind, room=room, asked_by=asked_by, target_id=target_id,
                  operator_id=operator_id, created_at=real_now())  # fmt: skip
    session.add(leg)
    session.flush()
    enqueue_later(session, "callcenter.ledger.call_act_jobs.open_leg", str(leg.id), queue="urgent")
    return leg


def heard(
    session: Session, leg_id: UUID, kind: str, cause: dict[str, Any] | None = None, ref: str | None = None
) -> bool:
    """What the carrier says of a leg: `ringing`, `up` or `ended`; False when it is none of ours. Harmless when repeated
    and in any order: ended is final."""
    call_id = session.scalar(select(CallLeg.call_id).where(CallLeg.id == leg_id))
    if call_id is None:
        return False
    call = session.get(Call, call_id, with_for_update=True, populate_existing=True)
    leg = session.get(CallLeg, leg_id, with_for_update=True, populate_existing=True)
    if call is None or leg is None:
        return False
    leg.ref = leg.ref or ref
    if leg.state == "ended" and kind != "ended":
        hang_up_later(session, leg)  # it was given up before the switch had made it
    if leg.state == "ended" or (leg.state == "up" and kind != "ended"):
        return True
    leg.state = kind
    if kind == "up":
        leg.answered_at = real_now()
    elif kind == "ended":
        leg.ended_at, leg.cause = real_now(), cause
        _give_back(session, leg)
    if call.handed_out_at and not call.hung_up_at:
        _follow(session, call, leg)
    _tell(session, call)
    return True


def begun(session: Session, leg_id: UUID, ref: str) -> None:
    """The carrier has taken the order; one that was given up meanwhile is taken down."""
    leg = _locked(session, leg_id)
    if leg is not None:
        leg.ref = leg.ref or ref
        if leg.state == "ended":
            hang_up_later(session, leg)


def meeting(call_id: UUID) -> str:
    """The room in which a citizen and an outsider talk without us."""
    return f"meet-{call_id}"


def leave_room_later(session: Session, leg: CallLeg) -> None:
    """After the commit, move an outsider from the operator's room to where the citizen goes."""
    enqueue_later(session, "callcenter.ledger.call_act_jobs.move_leg", str(leg.id), queue="urgent")


def moved(session: Session, leg_id: UUID, room: str) -> None:
    """The outsider stands in this room now."""
    leg = _locked(session, leg_id)
    if leg is not None:
        leg.room = room


def hang_up_later(session: Session, leg: CallLeg) -> None:
    """After the commit, end the leg at the carrier."""
    enqueue_later(session, "callcenter.ledger.call_act_jobs.end_leg", str(leg.id), queue="urgent")


def citizen_left(session: Session, call_id: UUID) -> None:
    """The citizen hung up: nobody is left waiting in a leg of the call."""
    leg = live(session, call_id)
    if leg is not None:
        hang_up_later(session, leg)


def sweep(session: Session) -> None:
    """Give up legs that nobody answered, end those whose call is over or with the colleague who was asked, and move
    outsiders whose move was lost."""
    now = real_now()
    unanswered = (CallLeg.answered_at.is_(None)) & (CallLeg.created_at < now - ANSWER_PATIENCE)
    orphaned = Call.hung_up_at < now - ORPHANED
    wanted = select(CallLeg.id).join(Call, Call.id == CallLeg.call_id).where(CallLeg.ended_at.is_(None))
    handed_over = CallLeg.operator_id == Call.operator_id
    for leg_id in session.scalars(wanted.where(unanswered | orphaned | handed_over)).all():
        enqueue_later(session, "callcenter.ledger.call_act_jobs.end_leg", str(leg_id), queue="urgent")
    left_behind = and_(CallLeg.state == "up", CallLeg.room.startswith("op-"), CallLeg.kind == "outside")
    for leg_id in session.scalars(wanted.where(left_behind, Call.handed_out_at < now - PATIENCE)).all():
        enqueue_later(session, "callcenter.ledger.call_act_jobs.move_leg", str(leg_id), queue="urgent")


def _follow(session: Session, call: Call, leg: CallLeg) -> None:
    """A citizen who was handed out stands where the leg stands, and leaves with it."""
    if leg.state == "up":
        citizen_moves.ask(session, call, leg.room)
    elif leg.state == "ended" and leg.answered_at is None:
        citizen_moves.ask(session, call, "goodbye")
    elif leg.state == "ended":
        enqueue_later(session, "callcenter.jobs.hang_up", str(call.id), queue="urgent")


def _give_back(session: Session, leg: CallLeg) -> None:
    """The operator who was consulted is free again, unless the call is theirs now."""
    if leg.operator_id is not None:
        handovers.end_consult(session, leg.operator_id)


def _locked(session: Session, leg_id: UUID) -> CallLeg | None:
    """The leg, after its call."""
    call_id = session.scalar(select(CallLeg.call_id).where(CallLeg.id == leg_id))
    if call_id is None:
        return None
    session.get(Call, call_id, with_for_update=True, populate_existing=True)
    return session.get(CallLeg, leg_id, with_for_update=True, populate_existing=True)


def _tell(session: Session, call: Call) -> None:
    if call.operator_id is not None:
        tell_later(session, f"operator/{call.operator_id}")
