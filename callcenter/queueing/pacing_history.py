"""What pacing hears of calls, read from the ledger: rows (kind, seconds, at), `at` in seconds of the epoch.

Nothing is counted as it happens: every row is derived from the call's own times, so that what a dialer has heard live
and what another one reads after it died are the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import abandonment, giving_up

Row = tuple[str, float, float]
REACHED = timedelta(hours=1)  # the abandonment of any sixty minutes has a limit of its own
LEAST, MOST = 1500, 30_000  # attempts: what estimates forget after; and what one read takes at most
# Ends of phones that rang and nobody spoke. Others, such as a trunk's own fault, tell nothing of how people answer.
RANG = ("no_answer", "busy", "failed", "invalid_number", "machine", "voicemail", "given_up")
_EVER: ColumnElement[datetime] = literal_column("'-infinity'::timestamptz")


@dataclass(frozen=True)
class Heard:
    """One call's own times. `outcome` is None while it is open."""

    call_id: UUID
    queue_id: int
    state: str
    direction: str
    placed_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    connected_at: datetime | None
    handed_out_at: datetime | None
    hung_up_at: datetime | None
    ended_at: datetime | None
    outcome: str | None

    def rows(self) -> list[Row]:
        """What there is to hear of it so far, in the order in which it happened; later ones are added at the end."""
        found = [*self._ring(), *self._talk()]
        return [(kind, max(0.0, (end - begun).total_seconds()), end.timestamp()) for kind, begun, end in found]

    def _ring(self) -> list[tuple[str, datetime, datetime]]:
        began = self.ringing_at or self.placed_at
        if self.direction != "out" or began is None:
            return []
        if self.answered_at is not None:
            answered = ("answered", began, self.answered_at)
            if self.ended_at is None or self.outcome != "abandoned":
                return [answered]
            return [answered, ("abandoned", self.answered_at, self.ended_at)]
        if self.ended_at is None or self.outcome not in RANG:
            return []
        kind = "given_up" if self.outcome == "given_up" else "not_answered"
        return [(kind, began, self.hung_up_at or self.ended_at)]

    def _talk(self) -> list[tuple[str, datetime, datetime]]:
        left = self.handed_out_at or self.hung_up_at or self.ended_at
        if self.connected_at is None or left is None or self.state not in ("wrap_up", "ended"):
            return []
        talk = ("talk", self.connected_at, left)
        return [talk] if self.ended_at is None else [talk, ("wrap", left, self.ended_at)]


@dataclass(frozen=True)
class Totals:
    """Calls of a queue to date: those placed, answered by somebody, abandoned after it, and left ringing by us."""

    attempts: int = 0
    answered: int = 0
    abandoned: int = 0
    given_up: int = 0


def under_way(session: Session) -> list[Heard]:
    """Every call that is not over."""
    return _read(session, _columns().where(Call.state != "ended"))


def of_calls(session: Session, call_ids: Iterable[UUID]) -> list[Heard]:
    """These calls, as they are now; those that are gone are left out."""
    return _read(session, _columns().where(Call.id.in_(list(call_ids))))


def of_queue(session: Session, queue_id: int) -> list[Heard]:
    """The queue's calls of the last hour, or so many older ones that there are LEAST; the newest MOST at the most."""
    mine = (Call.queue_id == queue_id, Call.placed_at.is_not(None))
    older = select(Call.placed_at).where(*mine).order_by(Call.placed_at.desc()).offset(LEAST - 1).limit(1)
    since = func.least(real_now() - REACHED, func.coalesce(older.scalar_subquery(), _EVER))
    wanted = _columns().where(*mine, Call.placed_at >= since).order_by(Call.placed_at.desc()).limit(MOST)
    return _read(session, wanted)


def rows(calls: Iterable[Heard]) -> list[Row]:
    """All that is to be heard of them, oldest first."""
    return sorted((row for call in calls for row in call.rows()), key=lambda row: row[2])


def totals(session: Session, queue_id: int) -> Totals:
    """The queue's calls to date, each counted along an index."""
    picked_up = abandonment.of_queues(session, [queue_id])[queue_id]
    given_up, attempts = giving_up.share(session, queue_id)
    return Totals(attempts, picked_up.answered, picked_up.abandoned, given_up)


def _columns() -> Any:
    return select(
        Call.id, Call.queue_id, Call.state, Call.direction, Call.placed_at, Call.ringing_at, Call.answered_at,
        Call.connected_at, Call.handed_out_at, Call.hung_up_at, Call.ended_at, Attempt.outcome,
    ).join(Attempt, Attempt.id == Call.id)  # fmt: skip


def _read(session: Session, wanted: Select[Any]) -> list[Heard]:
    return [Heard(*row) for row in session.execute(wanted)]
