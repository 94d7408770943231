"""Operators: presence, the room each one holds, and which answered call goes to whom.

Whoever locks a call and an operator locks the call first.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Column, ForeignKey, Index, Table, and_, exists, func, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, lazyload, mapped_column, relationship

from callcenter import carriers
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger import citizen_moves, inbound_waits
from callcenter.ledger.call_ledger import Call, is_waiting
from callcenter.queueing import queue_entries
from callcenter.seats import operator_lines
from callcenter.telephony import softphones

GRACE = timedelta(seconds=10)  # without a sign of the page: no new call

operator_queues = Table(
    "operator_queues",
    Base.metadata,
    Column("operator_id", ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True),
    Column("queue_id", ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True),
)


class Operator(Base):
    """The working place of one user. `state`: offline | paused | available | preview | in_call | wrap_up; in `preview`
    they look at a person, or ring them. `state_since` (real time) orders who has waited longest.

    `room_ref` is the carrier's reference of their permanent leg, `room_opened_at` when it was answered: only then is
    a call offered; `room_lost_at` since when it is gone and was not opened again. In a call, `pause_reason` and
    `leave_after_call` say what comes after it. An operator without queues of their own serves every running one.
    """

    __tablename__ = "operators"
    __table_args__ = (
        Index("ix_operators_waiting", "state_since", postgresql_where=text("state = 'available'")),
        Index("uq_operators_call_id", "call_id", unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    state: Mapped[str] = mapped_column(default="offline", server_default="offline")
    state_since: Mapped[datetime] = mapped_column(default=real_now)
    pause_reason: Mapped[str | None]
    leave_after_call: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    leave_reason: Mapped[str | None]  # why they leave, or are off: of operator_log.LEAVINGS
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", use_alter=True))
    room_ref: Mapped[str | None]
    room_asked_at: Mapped[datetime | None]
    room_opened_at: Mapped[datetime | None]
    room_checked_at: Mapped[datetime | None]
    room_lost_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    @property
    def has_room(self) -> bool:
        return self.room_opened_at is not None


def of_user(session: Session, user_id: int) -> Operator:
    """The user's working place, made on first use; a page and its first requests may ask at the same moment."""
    own = select(Operator).where(Operator.user_id == user_id)
    operator = session.scalar(own)
    if operator is None:
        session.execute(insert(Operator).values(user_id=user_id).on_conflict_do_nothing())
        operator = session.scalars(own).one()
    return operator


def go_available(session: Session, operator_id: int) -> None:
    """Ready for calls; their room is opened when it is not. Undoes a pause or a leave asked for during a call.

    Raises Refused `no_room` where the room does not open by itself: without it the operator would hear nobody."""
    operator = locked(session, operator_id)
    if not operator.has_room and operator.call_id is None and _must_open_first(session, operator_id):
        raise Refused("no_room", _("Your line is not open yet: connect, allow the microphone, and wait a moment."))
    operator.pause_reason, operator.leave_after_call, operator.leave_reason = None, False, None
    operator.last_seen_at = real_now()
    if operator.call_id is None and operator.state != "available":
        enter(session, operator, "available")
    tell(session, operator)


def pause(session: Session, operator_id: int, reason: str) -> None:
    """No new call: at once, or after the present one. `reason` is a code or the operator's own word. The same pause
    asked for again goes on: its time does not begin anew."""
    operator = locked(session, operator_id)
    goes_on = operator.state == "paused" and operator.pause_reason == reason
    operator.pause_reason = reason
    if operator.call_id is None and not goes_on:
        enter(session, operator, "paused")
    tell(session, operator)


def leave(session: Session, operator_id: int, reason: str = "own") -> None:
    """Log off: at once, or after the present call. `reason`: a code of operator_log.LEAVINGS."""
    operator = locked(session, operator_id)
    operator.leave_after_call, operator.leave_reason = operator.call_id is not None, reason
    if operator.call_id is None:
        enter(session, operator, "offline")
    tell(session, operator)


def seen(session: Session, operator_id: int) -> None:
    """The operator's page is there. Written at most every two seconds."""
    now = real_now()
    stale = or_(Operator.last_seen_at.is_(None), Operator.last_seen_at < now - timedelta(seconds=2))
    session.execute(update(Operator).where(Operator.id == operator_id, stale).values(last_seen_at=now))


def offer(session: Session, call_id: UUID, *, first: int | None = None) -> Operator | None:
    """Give the call to `first` or to whom it was promised, else to who has waited longest in an open room; None when
    nobody is free. A room on another switch is out of the call's reach. Nobody passes a citizen who picked up earlier
    and still waits, or who rang us and has waited long (ledger.inbound_waits).

    The caller holds the call's row. Two calls never get one operator: rows locked by another offer are skipped. A row
    that was only being written (a heartbeat) is waited for in a second look, so that nobody is overlooked."""
    call = session.get_one(Call, call_id)
    switch = carriers.switch_of(call.carrier_ref or "")
    reachable = Operator.room_ref.startswith(f"{switch}/", autoescape=True) if switch else true()
    promised = first or queue_entries.promised_to(session, call.entry_id)
    wanted = (
        select(Operator)
        .options(lazyload(Operator.user))  # a citizen waits: nobody asks here who the operator is
        .where(is_free(real_now()), serves(call.queue_id), reachable, ~_is_anothers(session, call, real_now()))
        .order_by((Operator.id == promised).desc(), Operator.state_since, Operator.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    operator = session.scalar(wanted.with_for_update(of=Operator, skip_locked=True)) or session.scalar(
        wanted.with_for_update(of=Operator)
    )
    if operator is not None:
        operator.call_id = call_id
        enter(session, operator, "in_call")
        tell(session, operator)
    return operator


def take_held(session: Session, call: Call) -> Operator | None:
    """The operator who looked at the person and called them takes the answered call, when their line still stands; else
    they are let go and None. The caller holds the call's row."""
    if call.operator_id is None:
        return None
    operator: Operator | None = session.scalar(_holding(call.id))
    switch = carriers.switch_of(call.carrier_ref or "")
    is_here = switch is None or (operator is not None and (operator.room_ref or "").startswith(f"{switch}/"))
    if operator is not None and operator.state == "preview" and operator.has_room and is_here:
        enter(session, operator, "in_call")
        tell(session, operator)
        return operator
    call.operator_id = None
    release(session, call.id)
    return None


def is_free(now: datetime) -> Any:
    """The condition of an operator who can take a call now: there, in an open room that the last citizen left."""
    return and_(
        Operator.state == "available",
        Operator.call_id.is_(None),
        Operator.room_opened_at.is_not(None),
        Operator.last_seen_at > now - GRACE,
        ~softphones.away(Operator.id),
        ~citizen_moves.is_room_taken(Operator.id),
    )


def _is_anothers(session: Session, call: Call, now: datetime) -> Any:
    """The condition of an operator whom somebody else gets before this call."""
    long_ago, is_out = now - inbound_waits.FIRST_AFTER, call.direction == "out"
    since = long_ago if is_out else inbound_waits.began(session, call.id) or now
    kept = is_kept_for_who_rang(now, since)
    return kept if since < long_ago else or_(_is_awaited_since((is_out and call.answered_at) or now, now), kept)


def is_kept_for_who_rang(now: datetime, since: datetime) -> Any:
    """The condition of an operator whom who rang us, and waits since before `since`, gets at their next look."""
    rang = inbound_waits.by_queue(now, since)
    in_reach = rang.c.switch.in_(("", func.split_part(Operator.room_ref, "/", 1)))
    free = select(func.count()).select_from(Operator).where(is_free(now), serves(rang.c.queue_id), in_reach)
    return exists().where(serves(rang.c.queue_id), in_reach, rang.c.people >= free.correlate(rang).scalar_subquery())


def _is_awaited_since(before: datetime, now: datetime) -> Any:
    """The condition of an operator for whom somebody waits who picked up `before` that."""
    switch_of_call, switch_of_room = (func.split_part(ref, "/", 1) for ref in (Call.carrier_ref, Operator.room_ref))
    in_reach = or_(~Call.carrier_ref.contains("/"), switch_of_call == switch_of_room)
    return exists().where(is_waiting(now), Call.answered_at < before, serves(Call.queue_id), in_reach)


def serves(queue_id: Any) -> Any:
    """The condition of an operator who takes calls of this queue. `queue_id`: a number or a column."""
    own = select(operator_queues.c.queue_id).where(operator_queues.c.operator_id == Operator.id)
    own = own.correlate_except(operator_queues)  # by itself only to the SELECT right around it
    return or_(~own.exists(), own.where(operator_queues.c.queue_id == queue_id).exists())


def begin_wrap_up(session: Session, call_id: UUID) -> None:
    """The citizen is gone; the operator writes down what came of it."""
    operator = session.scalar(_holding(call_id))
    if operator is not None:
        enter(session, operator, "wrap_up")
        tell(session, operator)


def release(session: Session, call_id: UUID) -> None:
    """The call is over: on to what the operator asked for (off, a pause), else free again."""
    operator = session.scalar(_holding(call_id))
    if operator is None:
        return
    operator.call_id = None
    if operator.leave_after_call:
        operator.leave_after_call = False
        enter(session, operator, "offline")
    else:
        enter(session, operator, "paused" if operator.pause_reason else "available")
    tell(session, operator)


def take_back(session: Session, operator_id: int, call_id: UUID) -> None:
    """Return to the wrap-up of a call whose outcome was undone. Raises Refused while in another call."""
    operator = locked(session, operator_id)
    if operator.call_id is not None:
        raise Refused("in_call", _("You are in another call already: the outcome stays. A supervisor can correct it."))
    operator.call_id = call_id
    enter(session, operator, "wrap_up")
    tell(session, operator)


def is_present(session: Session, operator_id: int, since: datetime) -> bool:
    """Has the operator's page given a sign after `since`?"""
    return bool(session.scalar(select(exists().where(Operator.id == operator_id, ~unseen(since)))))


def enter(session: Session, operator: Operator, state: str) -> None:
    """Begin a state, with what belongs to it: a room for who is available, none for who is off. The database keeps each
    in the log (operator_log). The row is locked."""
    if operator.state == "offline" and state != "offline":
        operator.leave_reason = None
    operator.state, operator.state_since = state, real_now()
    if state == "available":
        operator.pause_reason = None
        if not operator.has_room:
            enqueue_later(session, "callcenter.jobs.open_room", operator.id, queue="urgent")
    if state == "offline":
        softphones.log_out(session, f"op-{operator.id}")
        operator_lines.page_gone(session, operator.id)
        operator.pause_reason = None
        if operator.room_ref:
            enqueue_later(session, "callcenter.jobs.close_room", operator.room_ref, queue="urgent")
        forget_room(operator)


def forget_room(operator: Operator) -> None:
    """There is no leg, and none is asked for. The row is locked."""
    operator.room_ref = operator.room_opened_at = operator.room_asked_at = operator.room_lost_at = None


def tell(session: Session, operator: Operator) -> None:
    """Tell the screens and the dialer."""
    tell_later(session, f"operator/{operator.id}")
    tell_later(session, "floor")
    tell_later(session, "dialer")


def unseen(since: datetime) -> Any:
    return func.coalesce(Operator.last_seen_at, Operator.state_since) < since


def _must_open_first(session: Session, operator_id: int) -> bool:
    """Does this operator's line open only by something that a person does?"""
    if carriers.has_switchboard() or carriers.can("browser_leg"):
        return True
    return carriers.can("phone_leg") and operator_lines.way(session, operator_id) != "browser"


def _holding(call_id: UUID) -> Any:
    held = select(Operator).where(Operator.call_id == call_id).execution_options(populate_existing=True)
    return held.with_for_update(of=Operator)


def locked(session: Session, operator_id: int) -> Operator:
    """The operator's row, locked and fresh. Raises NotFound."""
    operator = session.get(Operator, operator_id, with_for_update={"of": Operator}, populate_existing=True)
    if operator is None:
        raise NotFound(_("There is no such operator."))
    return operator
