"""What the order of a queue looks at besides the person's priority: how people like them answer at this hour, and how
far their section is from its goal."""

from datetime import datetime

from sqlalchemy import ForeignKey, SmallInteger, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class AnswerHour(Base):
    """How often a group of people picked up at one hour of the day (0–23), learnt from the ledger."""

    __tablename__ = "answer_hours"
    hour_group: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    tries: Mapped[int]
    answers: Mapped[int]
    learned_at: Mapped[datetime] = mapped_column(default=real_now)


def scores(session: Session, hour: int) -> dict[int, float]:
    """The share of calls that each group answers at this hour; of a group that nobody has called, nothing."""
    rows = session.execute(
        select(AnswerHour.hour_group, AnswerHour.tries, AnswerHour.answers).where(AnswerHour.hour == hour)
    )
    return {group: answers / tries for group, tries, answers in rows if tries}


class SectionStanding(Base):
    """How far a section is from its goal in one queue, as its entries have it: 0 less than half, -1 half, -2 there."""

    __tablename__ = "section_standings"
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"), primary_key=True, index=True)
    urgency: Mapped[int] = mapped_column(SmallInteger)
