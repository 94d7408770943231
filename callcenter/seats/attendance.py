"""Attendance: who worked when, in which states, and which pauses, read from the log of operators. Real time.

Days are those of the house (America/Mexico_City). A state that goes over midnight counts in both days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Subquery, case, func, literal, null, select, true, union_all
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.clock import ZONE, real_now
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.seats import pause_reasons
from callcenter.seats.operator_log import OperatorChange
from callcenter.seats.pause_reasons import Reason

MOST_DAYS = 62


@dataclass
class Shift:
    """One operator's day. `began` is the first log-in, `ended` the last log-out, None while they are logged in; `left`
    says how that came about (operator_log.LEAVINGS). `seconds`: by state, `pauses`: by reason; `over`: pauses that went
    past their limit. `calls` ended that day, `outcomes` were given one by the operator."""

    day: date
    operator_id: int
    name: str
    began: datetime
    ended: datetime | None = None
    left: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    pauses: dict[str, float] = field(default_factory=dict)
    rest: float = 0.0
    over: int = 0
    calls: int = 0
    outcomes: int = 0

    @property
    def connected(self) -> float:
        """Seconds logged in."""
        return sum(self.seconds.values())

    @property
    def worked(self) -> float:
        """Seconds logged in, without the pauses that are rest."""
        return self.connected - self.rest

    @property
    def outcomes_an_hour(self) -> float | None:
        return self.outcomes * 3600 / self.worked if self.worked >= 60 else None


@dataclass(frozen=True)
class Spell:
    """One state of an operator from its beginning to its end; `ended` is now for the present one."""

    state: str
    reason: str | None
    began: datetime
    ended: datetime
    is_over: bool

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


def shifts(session: Session, first: date, last: date, operator_id: int | None = None) -> list[Shift]:
    """Everybody who was logged in, day by day, by name."""
    reasons = pause_reasons.listed(session, enabled_only=False)
    found = []
    for number in range((last - first).days + 1):
        found += _of_day(session, first + timedelta(days=number), reasons, operator_id)
    return found


def spells(session: Session, operator_id: int, day: date) -> list[Spell]:
    """The operator's states of a day, in order, without the time that they were off."""
    reasons = pause_reasons.listed(session, enabled_only=False)
    marks = _marks(day, operator_id)
    wanted = select(marks.c.state, marks.c.reason, marks.c.began, marks.c.ended, _is_over(marks, reasons)).where(
        marks.c.state != "offline", marks.c.ended > marks.c.began
    )
    return [Spell(*row) for row in session.execute(wanted.order_by(marks.c.began))]


def paused_seconds(session: Session, operator_id: int, reason: str, until: datetime) -> float:
    """Seconds of this operator's pauses of this reason today, until then."""
    marks = _marks(until.astimezone(ZONE).date(), operator_id, now=until)
    total = select(func.coalesce(func.sum(_seconds(marks)), 0)).where(
        marks.c.state == "paused", marks.c.reason == reason
    )
    return float(session.scalar(total) or 0)


def today() -> date:
    return real_now().astimezone(ZONE).date()


def _of_day(session: Session, day: date, reasons: Sequence[Reason], operator_id: int | None) -> list[Shift]:
    marks = _marks(day, operator_id)
    grouped = (
        select(
            marks.c.operator_id, User.full_name, marks.c.state, marks.c.reason, func.sum(_seconds(marks)),
            func.min(marks.c.began), func.count().filter(_is_over(marks, reasons)), func.max(marks.c.began),
        )
        .join(Operator, Operator.id == marks.c.operator_id)
        .join(User, User.id == Operator.user_id)
        .group_by(marks.c.operator_id, User.full_name, marks.c.state, marks.c.reason)
        .order_by(User.full_name, marks.c.operator_id)
    )  # fmt: skip
    by_operator: dict[int, Shift] = {}
    offs: dict[int, tuple[datetime, str | None]] = {}
    rest = {reason.code for reason in reasons if not reason.is_work}
    for whose, name, state, reason, seconds, began, over, latest in session.execute(grouped):
        if state == "offline":
            offs[whose] = max(offs.get(whose, (latest, reason)), (latest, reason), key=lambda off: off[0])
            continue
        shift = by_operator.setdefault(whose, Shift(day, whose, name, began))
        shift.began = min(shift.began, began)
        shift.seconds[state] = shift.seconds.get(state, 0.0) + float(seconds)
        if state == "paused":
            shift.pauses[reason or ""] = float(seconds)
            shift.rest += float(seconds) if reason in rest else 0.0
            shift.over += over
    _note_ends(session, by_operator, offs, day)
    _count_calls(session, by_operator, day)
    return list(by_operator.values())


def _note_ends(
    session: Session, by_operator: dict[int, Shift], offs: dict[int, tuple[datetime, str | None]], day: date
) -> None:
    """When each one logged out for the last time that day; nothing for whoever was still there at its end."""
    marks = _marks(day, None)
    latest = select(marks.c.operator_id, func.max(marks.c.began)).where(marks.c.state != "offline")
    for operator_id, began in session.execute(latest.group_by(marks.c.operator_id)):
        shift, off = by_operator.get(operator_id), offs.get(operator_id)
        if shift is not None and off is not None and off[0] >= began:
            shift.ended, shift.left = off


def _count_calls(session: Session, by_operator: dict[int, Shift], day: date) -> None:
    counted = (
        select(Operator.id, func.count(), func.count(Call.disposition))
        .join(Call, Call.operator_id == Operator.id)
        .where(Operator.id.in_(by_operator), Call.ended_at >= _midnight(day))
        .where(Call.ended_at < _midnight(day + timedelta(days=1)))
        .group_by(Operator.id)
    )
    for operator_id, calls, outcomes in session.execute(counted):
        by_operator[operator_id].calls, by_operator[operator_id].outcomes = calls, outcomes


def _marks(day: date, operator_id: int | None, *, now: datetime | None = None) -> Subquery:
    """columns: operator_id, state, reason, began, ended: the spells of a day, cut at its midnights and at now"""
    begins, ends = _midnight(day), min(_midnight(day + timedelta(days=1)), now or real_now())
    changes = _changes(begins, ends, operator_id).subquery()
    in_order = (changes.c.at, changes.c.id)
    ended = func.lead(changes.c.at, 1, ends).over(partition_by=changes.c.operator_id, order_by=in_order)
    return select(
        changes.c.operator_id, changes.c.state, changes.c.reason, changes.c.at.label("began"), ended.label("ended")
    ).subquery()


def _changes(begins: datetime, ends: datetime, operator_id: int | None) -> CompoundSelect[Any]:
    """The changes of a stretch of time, and at its beginning the state in which each operator came into it."""
    change = OperatorChange
    before = (
        select(change.state, change.reason)
        .where(change.operator_id == Operator.id, change.at < begins)
        .order_by(change.at.desc(), change.id.desc())
        .limit(1)
        .lateral()
    )
    carried = select(Operator.id.label("operator_id"), literal(begins).label("at"), literal(0).label("id"),
                     before.c.state, before.c.reason).join(before, true())  # fmt: skip
    within = select(change.operator_id, change.at, change.id, change.state, change.reason).where(
        change.at >= begins, change.at < ends
    )
    if operator_id is not None:
        carried, within = carried.where(Operator.id == operator_id), within.where(change.operator_id == operator_id)
    return union_all(carried, within)


def _seconds(marks: Subquery) -> Any:
    return func.extract("epoch", marks.c.ended - marks.c.began)


def _is_over(marks: Subquery, reasons: Sequence[Reason]) -> Any:
    """The condition of a pause that went past the limit of its reason."""
    limits = {reason.code: reason.minutes * 60 for reason in reasons if reason.minutes is not None}
    most = case(limits, value=marks.c.reason, else_=null()) if limits else null()
    return func.coalesce((marks.c.state == "paused") & (_seconds(marks) > most), False)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)
