"""What was noticed about how interviews were done. A signal is a reason to look, and proves nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class InterviewSignal(Base):
    """What surveys.checks.signals measured of one ended interview. Times are real time.

    `seconds`: that its questions took, None where nobody told; `asked`: questions; `fast`, `dk`, `refused`, `skipped`:
    names of items; `batteries`: runs of alike questions that were answered, `straight` of them with one answer."""

    __tablename__ = "interview_signals"
    __table_args__ = (
        Index("ix_interview_signals_survey_id_ended_at", "survey_id", "ended_at"),
        Index("ix_interview_signals_ended_at", "ended_at"),
    )
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    ended_at: Mapped[datetime]
    measured_at: Mapped[datetime] = mapped_column(default=real_now)
    seconds: Mapped[float | None]
    asked: Mapped[int] = mapped_column(SmallInteger)
    fast: Mapped[list[Any]]
    dk: Mapped[list[Any]]
    refused: Mapped[list[Any]]
    skipped: Mapped[list[Any]]
    batteries: Mapped[int] = mapped_column(SmallInteger)
    straight: Mapped[int] = mapped_column(SmallInteger)


class SoundAudit(Base):
    """One person's judgement of how one question was asked and noted, after hearing it. `verdict`: of VERDICTS in
    surveys.checks.question_sounds."""

    __tablename__ = "sound_audits"
    __table_args__ = (
        UniqueConstraint("interview_id", "item", "auditor_id"),
        Index("ix_sound_audits_survey_id", "survey_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    item: Mapped[str]
    auditor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    verdict: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
