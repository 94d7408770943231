"""The last decisions of each queue, with what they were made from: what the why panel shows. No person is in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    column,
    delete,
    insert,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.outbox import tell_later
from callcenter.queues import CallQueue

KEPT = 100  # of each queue
OLDEST = timedelta(days=7)
OLD = timedelta(seconds=5)  # a word that is said anew although it is the same


class DialDecision(Base):
    """One decision (real time). What was seen: operators `idle`, `wrapping`, `talking`; phones `ringing`; citizens
    `waiting` for an operator; `lines_free` of the carrier; `attempts`, `answered`, `abandoned`, `given_up` of the
    campaign to date; `risk`: the chance to find nobody that one more answer might have, in the mode predictive.

    What was decided: `place` calls (of which `planned` found somebody to call), `hang_up` of the ringing ones (of which
    `broken_off` could be). `reason`: a code of queues.WHY_IDLE when nothing was placed; `falls_back`: a code of
    queue_pace.FALLBACKS while it dials more slowly than `mode` says."""

    __tablename__ = "dial_decisions"
    __table_args__ = (Index("ix_dial_decisions_queue_id_id", "queue_id", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    mode: Mapped[str]
    falls_back: Mapped[str | None]
    idle: Mapped[int]
    wrapping: Mapped[int]
    talking: Mapped[int]
    ringing: Mapped[int]
    waiting: Mapped[int]
    lines_free: Mapped[int]
    attempts: Mapped[int]
    answered: Mapped[int]
    abandoned: Mapped[int]
    given_up: Mapped[int]
    risk: Mapped[float | None]
    place: Mapped[int]
    planned: Mapped[int]
    hang_up: Mapped[int]
    broken_off: Mapped[int]
    reason: Mapped[str | None]


@dataclass(frozen=True)
class Decided:
    """One decision, free of the session: the columns of DialDecision."""

    queue_id: int
    mode: str
    falls_back: str | None = None
    idle: int = 0
    wrapping: int = 0
    talking: int = 0
    ringing: int = 0
    waiting: int = 0
    lines_free: int = 0
    attempts: int = 0
    answered: int = 0
    abandoned: int = 0
    given_up: int = 0
    risk: float | None = None
    place: int = 0
    planned: int = 0
    hang_up: int = 0
    broken_off: int = 0
    reason: str | None = None
    at: datetime = field(default_factory=real_now)


def keep(session: Session, decisions: Sequence[Decided]) -> None:
    """Let each queue say the dialer's last word, where that changed or grew old, and write down those decisions and
    the ones that did something."""
    if not decisions:
        return
    told = _tell(session, decisions)
    worth = [each for each in decisions if each.queue_id in told or each.planned or each.broken_off]
    if worth:
        session.execute(insert(DialDecision), [vars(decided) for decided in worth])
    for queue_id in told:
        tell_later(session, f"queue/{queue_id}")
    if told:
        tell_later(session, "floor")


def _tell(session: Session, decisions: Sequence[Decided]) -> set[int]:
    """The queues whose word was written."""
    now = real_now()
    word = values(column("queue_id", Integer), column("reason", String), column("falls_back", String), name="word")
    said = word.data([(each.queue_id, each.reason, each.falls_back) for each in decisions])
    changed = or_(
        CallQueue.decided_at.is_(None),
        CallQueue.decided_at < now - OLD,
        CallQueue.why_idle.is_distinct_from(said.c.reason),
        CallQueue.falls_back.is_distinct_from(said.c.falls_back),
    )
    written = session.execute(
        update(CallQueue)
        .where(CallQueue.id == said.c.queue_id, CallQueue.state == "running", changed)
        .values(why_idle=said.c.reason, falls_back=said.c.falls_back, decided_at=now)
        .returning(CallQueue.id)
        .execution_options(synchronize_session=False)
    )
    return set(written.scalars())


def latest(session: Session, queue_id: int, limit: int = 20) -> list[DialDecision]:
    """The newest first: those that placed or gave up calls, those with another reason, and one every few seconds."""
    newest = select(DialDecision).where(DialDecision.queue_id == queue_id).order_by(DialDecision.id.desc())
    return list(session.scalars(newest.limit(limit)))


def sweep(session: Session) -> None:
    """Forget all but the newest of each queue."""
    for queue_id in session.scalars(select(DialDecision.queue_id).distinct()).all():
        oldest = (
            select(DialDecision.id)
            .where(DialDecision.queue_id == queue_id)
            .order_by(DialDecision.id.desc())
            .offset(KEPT - 1)
            .limit(1)
            .scalar_subquery()
        )
        session.execute(delete(DialDecision).where(DialDecision.queue_id == queue_id, DialDecision.id < oldest))
    session.execute(delete(DialDecision).where(DialDecision.at < real_now() - OLDEST))
