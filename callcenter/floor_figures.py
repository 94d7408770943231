"""What the supervisor's floor shows beside its operators: figures of the last hour, queues, difficult calls.

Intervals are real time, what people read is campaign time.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from callcenter import abandonment, queue_pace, queues
from callcenter.abandonment import Abandonment
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound
from callcenter.call_ledger import Call
from callcenter.floor_rows import HOUR, STATES
from callcenter.operators import Operator
from callcenter.queues import CallQueue

SHIFT = timedelta(hours=12)  # older alerts are history
LARGE, STALE = 50_000, 10.0  # people in a queue whose counts may be so many seconds old on a board drawn each second

_progress: dict[int, tuple[float, dict[str, int]]] = {}


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


@dataclass(frozen=True)
class QueueFigures:
    """A running or paused queue. `reason`: why it is paused, a code; `why_idle`, `falls_back`: sentences. `progress`:
    counts of people; `limit`: the share of answered calls that may find nobody."""

    id: int
    name: str
    state: str
    reason: str | None
    why_idle: str | None
    mode: str
    falls_back: str
    progress: dict[str, int]
    found_nobody: Abandonment
    limit: float

    @property
    def abandons_too_many(self) -> bool:
        return self.found_nobody.is_over(self.limit)


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


def open_queues(session: Session) -> list[QueueFigures]:
    """Running and paused queues, the running ones first."""
    wanted = (
        select(CallQueue)
        .where(CallQueue.state.in_(("running", "paused")))
        .order_by(CallQueue.state.desc(), CallQueue.id)
    )
    found = session.scalars(wanted.execution_options(populate_existing=True)).all()
    nobody = abandonment.of_queues(session, [queue.id for queue in found])
    return [
        QueueFigures(
            queue.id, queue.name, queue.state, queue.state_reason, queues.why_sentence(queue.why_idle),
            str(queue_pace.NAMES.get(queue.mode, queue.mode)),
            str(queue_pace.FALLBACKS.get(queue.falls_back or "", "")), _counts(session, queue.id), nobody[queue.id],
            queue.abandon_limit,
        )
        for queue in found
    ]  # fmt: skip


def _counts(session: Session, queue_id: int) -> dict[str, int]:
    """The queue's progress. Counting a long list takes a while: then it is asked again only after some seconds."""
    at, known = _progress.get(queue_id, (0.0, {}))
    if known.get("total", 0) < LARGE or time.monotonic() > at + STALE:
        known = queues.progress(session, queue_id)
        _progress[queue_id] = (time.monotonic(), known)
    return known
