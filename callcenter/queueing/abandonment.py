"""How many citizens picked up and found nobody, queue by queue, against the limit of each. Counted in the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.ledger.call_ledger import Call

HOUR = timedelta(minutes=60)
FIRST_ANSWERS = 100  # among so few one more may find nobody than the share allows


@dataclass(frozen=True)
class Abandonment:
    """Calls of ours that were answered, and of these who found nobody: since the queue began, and in the last hour."""

    answered: int = 0
    abandoned: int = 0
    answered_hour: int = 0
    abandoned_hour: int = 0

    @property
    def share(self) -> float | None:
        return self.abandoned / self.answered if self.answered else None

    @property
    def hour_share(self) -> float | None:
        return self.abandoned_hour / self.answered_hour if self.answered_hour else None

    def is_over(self, limit: float) -> bool:
        """Above the limit (0–1): since the queue began, or by twice as much within an hour."""
        spare = 1 if self.answered < FIRST_ANSWERS else 0
        by_hour = self.abandoned_hour > max(1.0, 2 * limit * self.answered_hour)
        return by_hour or self.abandoned > limit * self.answered + spare


def of_queues(session: Session, queue_ids: Iterable[int]) -> dict[int, Abandonment]:
    """The figures of each of these queues; every count is a walk along an index."""
    wanted = list(queue_ids)
    counts = {queue_id: [0, 0, 0, 0] for queue_id in wanted}
    since = real_now() - HOUR
    for place, table in ((0, _under_way(wanted)), (0, _answered(wanted)), (1, _abandoned(wanted))):
        lately = func.count().filter(Call.answered_at > since)
        for queue_id, number, in_hour in session.execute(table.add_columns(lately).group_by(Call.queue_id)):
            counts[queue_id][place] += number
            counts[queue_id][place + 2] += in_hour
    return {queue_id: Abandonment(*four) for queue_id, four in counts.items()}


def _under_way(queue_ids: list[int]) -> Any:
    """Answered calls that are not over, and whose citizens somebody speaks with."""
    return _counted(queue_ids).where(Call.state.in_(("connected", "wrap_up")), Call.answered_at.is_not(None))


def _answered(queue_ids: list[int]) -> Any:
    """Answered calls that are over."""
    return _counted(queue_ids).where(Call.state == "ended", Call.answered_at.is_not(None))


def _abandoned(queue_ids: list[int]) -> Any:
    """Who was never connected is a small part of the answered, and has an index of its own."""
    counted = _answered(queue_ids).join(Attempt, Attempt.id == Call.id)
    return counted.where(Call.connected_at.is_(None), Attempt.outcome == "abandoned")


def _counted(queue_ids: list[int]) -> Any:
    return select(Call.queue_id, func.count().label("number")).where(Call.queue_id.in_(queue_ids))
