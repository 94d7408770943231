"""The last decisions of each queue, with what they were made from: what the why panel shows. No person is in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, delete, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.outbox import tell_later

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
        table = DialDecision.__table__  # many rows in one statement, and nothing of them is read back
        session.execute(insert(table), [vars(each) for each in worth])  # type: ignore[arg-type]  # typed as any FROM
    for queue_id in told:
        tell_later(session, f"queue/{queue_id}")
    if told:
        tell_later(session, "floor")


def _tell(session: Session, decisions: Sequence[Decided]) -> set[int]:
    """The queues whose word was written."""
    said = {
        "queues": [each.queue_id for each in decisions], "reasons": [each.reason for each in decisions],
        "falls_back": [each.falls_back for each in decisions], "now": real_now(), "old": real_now() - OLD,
    }  # fmt: skip
    return set(session.scalars(_WORD, said))


# In words of its own: as many rows as there are queues would be another statement each time.
_WORD = text("""
    UPDATE call_queues SET why_idle = word.reason, falls_back = word.falls_back, decided_at = :now
    FROM unnest(CAST(:queues AS integer[]), CAST(:reasons AS text[]), CAST(:falls_back AS text[]))
        AS word (queue_id, reason, falls_back)
    WHERE call_queues.id = word.queue_id AND call_queues.state = 'running'
        AND (decided_at IS NULL OR decided_at < :old OR why_idle IS DISTINCT FROM word.reason
            OR call_queues.falls_back IS DISTINCT FROM word.falls_back)
    RETURNING call_queues.id""")


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
