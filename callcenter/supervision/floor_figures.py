"""What the supervisor's floor shows beside its operators: figures of the last hour, queues, difficult calls.

Intervals are real time, what people read is campaign time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queueing import abandonment, queue_pace
from callcenter.queueing.abandonment import Abandonment
from callcenter.queues import CallQueue
from callcenter.supervision.floor_rows import HOUR, STATES

SHIFT = timedelta(hours=12)  # older alerts are history
# People, or answered calls, of a queue whose counts may be so many seconds old on a board that is drawn each second.
LARGE, STALE = 20_000, 10.0


@dataclass(frozen=True)
class Counted:
    """What was counted of a queue at a moment of the monotonic clock."""

    at: float
    progress: dict[str, int]
    found_nobody: Abandonment

    @property
    def holds(self) -> bool:
        """May it be shown once more? Counting much takes a while; what is small is counted each time."""
        is_large = max(self.progress["total"], self.found_nobody.answered) >= LARGE
        return is_large and time.monotonic() < self.at + STALE


_counted: dict[int, Counted] = {}


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
    counts = _counts(session, [queue.id for queue in found])
    return [
        QueueFigures(
            queue.id, queue.name, queue.state, queue.state_reason, queues.why_sentence(queue.why_idle),
            str(queue_pace.NAMES.get(queue.mode, queue.mode)),
            str(queue_pace.FALLBACKS.get(queue.falls_back or "", "")), counts[queue.id].progress,
            counts[queue.id].found_nobody, queue.abandon_limit,
        )
        for queue in found
    ]  # fmt: skip


def _counts(session: Session, queue_ids: Sequence[int]) -> dict[int, Counted]:
    kept = {queue_id: _counted[queue_id] for queue_id in queue_ids if queue_id in _counted}
    due = [queue_id for queue_id in queue_ids if queue_id not in kept or not kept[queue_id].holds]
    nobody = abandonment.of_queues(session, due) if due else {}
    for queue_id in due:
        _counted[queue_id] = Counted(time.monotonic(), queues.progress(session, queue_id), nobody[queue_id])
    return {queue_id: _counted[queue_id] for queue_id in queue_ids}
