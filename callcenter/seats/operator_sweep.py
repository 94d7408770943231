"""Looking after operators: who has gone silent, rooms that did not open, citizens left with nobody."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true
from sqlalchemy.orm import Session

from callcenter import carriers, operators
from callcenter.base.clock import real_now
from callcenter.base.outbox import enqueue_later
from callcenter.ledger.call_ledger import CallEvent
from callcenter.operators import Operator, enter, tell, unseen
from callcenter.seats import operator_lines, operator_rooms
from callcenter.telephony import softphones

AWAY = timedelta(minutes=2)  # without a sign of the page: off
APOLOGY = timedelta(seconds=30)  # a citizen who was let go and is still there after it is let go once more
ROOM_CHECK = timedelta(seconds=20)


def sweep(session: Session) -> None:
    """Pause who is gone, log off who stays away, ask again for rooms that did not open. Calls in progress are kept."""
    now = real_now()
    idle = select(Operator).where(Operator.call_id.is_(None)).with_for_update(of=Operator, skip_locked=True)
    gone = or_(unseen(now - operators.GRACE), softphones.lost(Operator.id, now - softphones.GRACE))
    for operator in session.scalars(idle.where(Operator.state == "available", gone)):
        operator.pause_reason = "gone"
        enter(session, operator, "paused")
        tell(session, operator)
    without = and_(Operator.room_opened_at.is_(None), Operator.room_lost_at < now - operators.GRACE)
    for operator in session.scalars(idle.where(Operator.state == "available", without, _page_is_rung_when_it_asks())):
        operator.pause_reason = "room_lost"
        enter(session, operator, "paused")
        tell(session, operator)
    for operator in session.scalars(idle.where(Operator.state == "paused", unseen(now - AWAY))):
        operator.leave_reason = "silent"
        enter(session, operator, "offline")
        tell(session, operator)
    late = or_(Operator.room_asked_at.is_(None), Operator.room_asked_at < now - operator_lines.PATIENCE["browser"])
    # A browser that is there is rung in a pause and in a call, too: its leg broke off, and one ring did not arrive.
    # So is who has a citizen on the line, however they are rung; the asking knows how long that may take.
    waited_for = Operator.state == "in_call" if carriers.can("phone_leg") else false()
    rung = and_(Operator.state != "offline", softphones.present(Operator.id))
    wanted = or_(Operator.state == "available", waited_for, rung)
    for operator_id in session.scalars(select(Operator.id).where(wanted, Operator.room_opened_at.is_(None), late)):
        enqueue_later(session, "callcenter.jobs.open_room", operator_id, queue="urgent")
    _let_citizens_go(session, now)


def rooms_to_check(session: Session, limit: int = 20) -> list[tuple[int, str]]:
    """Open rooms not heard of for a while, claimed for asking the carrier: (operator id, reference)."""
    now = real_now()
    stale = session.scalars(
        select(Operator)
        .where(Operator.room_opened_at.is_not(None), Operator.room_checked_at < now - ROOM_CHECK)
        .order_by(Operator.room_checked_at)
        .limit(limit)
        .with_for_update(of=Operator, skip_locked=True)
    ).all()
    for operator in stale:
        operator.room_checked_at = now
    return [(operator.id, operator.room_ref) for operator in stale if operator.room_ref]


def _page_is_rung_when_it_asks() -> ColumnElement[bool]:
    """Does a lost line come back only when the page says that it is there (operator_rooms.lost)?"""
    return true() if carriers.can("browser_leg") else false()


def _let_citizens_go(session: Session, now: datetime) -> None:
    """Nobody is left listening to silence: whose operator lost both leg and browser for long hears the apology."""
    told = exists().where(
        CallEvent.call_id == Operator.call_id, CallEvent.kind == "let_go", CallEvent.at > now - APOLOGY
    )
    alone = operator_rooms.is_alone(now - softphones.GRACE)
    left = select(Operator.call_id).where(Operator.state == "in_call", alone, ~told)
    for call_id in session.scalars(left):
        enqueue_later(session, "callcenter.telephony.softphone_jobs.let_go", str(call_id), queue="urgent")
