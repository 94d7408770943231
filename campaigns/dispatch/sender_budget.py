"""How much a sender may carry now. Its parts per second are spoken for by `senders.free_at`, under the lock of its row,
so that workers, whichever they are, keep to it together. The database's clock counts; one that jumps costs a second.

What leaves is claimed at most AHEAD of its time: more would lie in a worker's hands when somebody presses pause."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from campaigns.dispatch.sender_tables import Sender

AHEAD = 1.0  # seconds
REST_FIRST, REST_LONGEST = 1.0, 300.0  # seconds, doubled with each setback: how long who was asked to wait does
HORIZON = REST_LONGEST + AHEAD  # a sender spoken for longer than this: somebody has set the clock back

# `busy`: seconds that are spoken for already.
_LOCK = text("""
    SELECT id, address, parts_per_second, setbacks, clock_timestamp() AS now,
        greatest(0, extract(epoch FROM free_at - clock_timestamp()))::float AS busy
    FROM senders WHERE id = ANY(:ids) AND state = 'active' ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
""")
_KEEP = text("""
    UPDATE senders SET free_at = said.free_at
    FROM unnest(CAST(:ids AS int[]), CAST(:moments AS timestamptz[])) AS said(id, free_at) WHERE senders.id = said.id
""")
_REST = text("""
    UPDATE senders SET setbacks = least(setbacks + 1, 20), free_at = greatest(free_at, clock_timestamp())
        + make_interval(secs => least(:longest, greatest(:seconds, :first * power(2, least(setbacks, 10)))))
    WHERE id = :id AND (setbacks = 0 OR free_at IS NULL OR free_at < clock_timestamp())
""")


@dataclass
class Budget:
    """One sender's time. `cursor`: seconds from now until its next part may leave. `locked_at`: now, monotonic."""

    sender_id: int
    address: str
    per_second: float
    now: datetime
    cursor: float
    ahead: float
    locked_at: float = field(default_factory=monotonic)
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.cursor

    @property
    def room(self) -> int:
        """Parts that fit into what is ahead; the last one may reach over its end."""
        left = self.ahead - self.cursor
        return 0 if left <= 1e-9 else max(1, int(left * self.per_second))

    def take(self, parts: int) -> float | None:
        """The monotonic moment at which a message of so many parts leaves; None: too far ahead to be claimed now."""
        if self.cursor >= self.ahead - 1e-9:
            return None
        leaves_at = self.locked_at + self.cursor
        self.cursor += parts / self.per_second
        return leaves_at


def lock(session: Session, senders: Iterable[Sender], ahead: float = AHEAD) -> dict[int, Budget]:
    """The budgets of those that are active, held until the caller's commit; without those that another holds now."""
    rows = session.execute(_LOCK, {"ids": [sender.id for sender in senders]}).all()
    return {row.id: Budget(row.id, row.address, row.parts_per_second, row.now, _busy(row), ahead) for row in rows}


def keep(session: Session, budgets: Collection[Budget]) -> None:
    """Write down what was taken."""
    used = [one for one in budgets if one.cursor > one.begun]
    if used:
        moments = [one.now + timedelta(seconds=one.cursor) for one in used]
        session.execute(_KEEP, {"ids": [one.sender_id for one in used], "moments": moments})


def rest(session: Session, sender_id: int, seconds: float = 0.0) -> None:
    """The provider asked this sender to wait: so long, or twice as long as the last time. Said twice of one moment, it
    counts once."""
    session.execute(_REST, {"id": sender_id, "seconds": seconds, "first": REST_FIRST, "longest": REST_LONGEST})


def forgive(session: Session, sender_ids: Collection[int]) -> None:
    """What these senders carried was taken: the next setback is a first one again."""
    session.execute(text("UPDATE senders SET setbacks = 0 WHERE id = ANY(:ids) AND setbacks > 0"),
                    {"ids": sorted(sender_ids)})  # fmt: skip


def _busy(row: Any) -> float:
    busy = float(row.busy or 0.0)
    spoken_for = HORIZON if row.setbacks else AHEAD + 60.0  # a long message of a slow sender reaches far
    return busy if busy <= spoken_for else 0.0
