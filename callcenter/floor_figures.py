"""What the supervisor's floor shows: figures of the last hour, a row an operator, alerts, queues.

Intervals are real time, what people read is campaign time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from callcenter import line_quality, pause_reasons, queues
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound
from callcenter.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.softphones import Softphone

HOUR = timedelta(hours=1)
SHIFT = timedelta(hours=12)  # older alerts are history
ABANDONED_LIMIT = 0.01  # share of answered calls that found no operator; the house never allows more than 0.03

STATES: dict[str, LazyString] = {
    "available": _l("Available"),
    "in_call": _l("In a call"),
    "wrap_up": _l("Writing up"),
    "paused": _l("Paused"),
    "offline": _l("Not connected"),
}
# Seconds in a state after which somebody should look: (amber, red), and what is then said.
PATIENCE: dict[str, tuple[int, int, LazyString]] = {
    "wrap_up": (0, 120, _l("writing up for long")),  # past the time that the queue, or the operator, gave it
    "paused": (10 * 60, 20 * 60, _l("long pause")),
    "in_call": (10 * 60, 20 * 60, _l("long call")),
    "available": (3 * 60, 10 * 60, _l("waits for long")),
}


@dataclass(frozen=True)
class Board:
    """`answered` and `abandoned` are of the `dialled` calls that ended in the last hour. `as_of` is campaign time."""

    as_of: datetime
    states: dict[str, int]
    dialled: int
    answered: int
    abandoned: int

    @property
    def answer_rate(self) -> float | None:
        return self.answered / self.dialled if self.dialled else None

    @property
    def abandoned_share(self) -> float | None:
        return self.abandoned / self.answered if self.answered else None

    @property
    def abandons_too_many(self) -> bool:
        return (self.abandoned_share or 0.0) > ABANDONED_LIMIT


@dataclass(frozen=True)
class Row:
    """One operator at work. `level`: 0 fine, 1 amber, 2 red; `trouble` says why. `line`: good | poor | None, of a
    telephone in the browser."""

    id: int
    name: str
    state: str
    since: datetime
    reason: str
    queue: str
    outcomes: int
    level: int
    trouble: str
    line: str | None

    @property
    def line_label(self) -> str:
        return str(line_quality.WORDS[self.line])

    @property
    def state_label(self) -> str:
        return str(STATES[self.state])


@dataclass(frozen=True)
class Alert:
    call_id: UUID
    operator: str
    queue: str
    at: datetime


def board(session: Session) -> Board:
    """The wallboard's figures."""
    now = real_now()
    states = dict.fromkeys(STATES, 0)
    for state, number in session.execute(select(Operator.state, func.count()).group_by(Operator.state)):
        states[state] = number
    ended = and_(Call.ended_at > now - HOUR, Call.placed_at.is_not(None))
    row = session.execute(
        select(
            func.count(),
            func.count(Call.answered_at),
            func.count().filter(Attempt.outcome == "abandoned"),
        )
        .join(Attempt, Attempt.id == Call.id)
        .where(ended)
    ).one()
    return Board(campaign_now(session), states, *row)


def rows(session: Session) -> list[Row]:
    """Operators who are not offline, those in trouble first, then the longest in their state."""
    now = real_now()
    outcomes = (
        select(Call.operator_id, func.count().label("number"))
        .where(Call.ended_at > now - HOUR, Call.disposition.is_not(None))
        .group_by(Call.operator_id)
        .subquery()
    )
    wanted = (
        select(
            Operator, User.full_name, CallQueue.name, func.coalesce(outcomes.c.number, 0), Call.wrap_up_until, Softphone
        )
        .join(User, User.id == Operator.user_id)
        .outerjoin(Call, Call.id == Operator.call_id)
        .outerjoin(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(outcomes, outcomes.c.operator_id == Operator.id)
        .outerjoin(Softphone, Softphone.operator_id == Operator.id)
        .where(Operator.state != "offline")
        .execution_options(populate_existing=True)
    )
    found = [
        _row(operator, name, queue or "", number, _counted_seconds(operator, until, now), _line(phone, now))
        for operator, name, queue, number, until, phone in session.execute(wanted)
    ]
    return sorted(found, key=lambda row: (-row.level, row.since))


def alerts(session: Session) -> list[Alert]:
    """Difficult calls of this shift that no supervisor has taken yet, newest first."""
    wanted = (
        select(Call.id, User.full_name, CallQueue.name, Call.difficult_at)
        .join(Operator, Operator.id == Call.operator_id)
        .join(User, User.id == Operator.user_id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .where(Call.difficult_at > real_now() - SHIFT, Call.difficult_seen_at.is_(None))
        .order_by(Call.difficult_at.desc())
    )
    return [Alert(call, name, queue, at) for call, name, queue, at in session.execute(wanted) if at]


def take_alert(session: Session, call_id: UUID) -> None:
    """A supervisor has seen to the difficult call. Raises NotFound."""
    taken = session.execute(
        update(Call)
        .where(Call.id == call_id, Call.difficult_at.is_not(None))
        .values(difficult_seen_at=func.coalesce(Call.difficult_seen_at, real_now()))
        .returning(Call.id)
    ).one_or_none()
    if taken is None:
        raise NotFound(_("There is no such alert."))


def open_queues(session: Session) -> list[dict[str, Any]]:
    """Running and paused queues: id, name, state, state_reason, why_idle (words), progress (counts)."""
    wanted = (
        select(CallQueue)
        .where(CallQueue.state.in_(("running", "paused")))
        .order_by(CallQueue.state.desc(), CallQueue.id)
    )
    return [
        {
            "id": queue.id,
            "name": queue.name,
            "state": queue.state,
            "reason": queue.state_reason,
            "why_idle": queues.why_sentence(queue.why_idle),
            "progress": queues.progress(session, queue.id),
        }
        for queue in session.scalars(wanted.execution_options(populate_existing=True))
    ]


def _counted_seconds(operator: Operator, wrap_up_until: datetime | None, now: datetime) -> float:
    """What PATIENCE is measured by: the time in the state; of a wrap-up, the time past its limit."""
    since = wrap_up_until if operator.state == "wrap_up" and wrap_up_until else operator.state_since
    return (now - since).total_seconds()


def _line(phone: Softphone | None, now: datetime) -> str | None:
    return line_quality.word(phone, now) if phone else None


def _row(operator: Operator, name: str, queue: str, outcomes: int, seconds: float, line: str | None) -> Row:
    level, trouble = _trouble(operator, seconds)
    reason = pause_reasons.label(operator.pause_reason)
    return Row(operator.id, name, operator.state, operator.state_since, reason, queue, outcomes, level, trouble, line)


def _trouble(operator: Operator, seconds: float) -> tuple[int, str]:
    if operator.state == "paused" and operator.pause_reason in ("difficult_call", "room_lost"):
        return 2, pause_reasons.label(operator.pause_reason)
    if operator.state == "available" and not operator.has_room and seconds > 10:
        return 2, _("no line")
    amber, red, words = PATIENCE[operator.state]
    level = 2 if seconds > red else 1 if seconds > amber else 0
    return level, str(words) if level else ""
