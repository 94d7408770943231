"""The tables of coded answers: what each coder said, and what was decided where they disagreed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Coding(Base):
    """One coder's codes of one answer, separated by spaces. No other coder sees them before having coded it too."""

    __tablename__ = "codings"
    __table_args__ = (
        UniqueConstraint("frame_id", "interview_id", "coder_id"),
        Index("ix_codings_interview_id", "interview_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    frame_id: Mapped[int] = mapped_column(ForeignKey("code_frames.id", ondelete="CASCADE"))
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    coder_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    codes: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)


class CodingDecision(Base):
    """What holds where coders disagreed."""

    __tablename__ = "coding_decisions"
    __table_args__ = (Index("ix_coding_decisions_interview_id", "interview_id"),)
    frame_id: Mapped[int] = mapped_column(ForeignKey("code_frames.id", ondelete="CASCADE"), primary_key=True)
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"), primary_key=True)
    codes: Mapped[str]
    decided_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(default=real_now)
