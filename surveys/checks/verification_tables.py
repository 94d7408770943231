"""The tables of the call-backs that verify interviews. What is done with them stands in checks.verifications."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class VerificationPlan(Base):
    """How a survey is verified. `share` (0–1) of each interviewer's whole interviews, drawn by the stored `seed`;
    `items`: questions that are asked again; `queue_id`: the list that verifiers call."""

    __tablename__ = "verification_plans"
    __table_args__ = (CheckConstraint("share > 0 AND share <= 1", name="share"),)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True)
    share: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    items: Mapped[list[Any]]
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("call_queues.id", ondelete="SET NULL"))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now)


class Verification(Base):
    """One interview that was drawn. `outcome`: open | confirmed | differs | denied | not_reached.

    `remembers`: yes | no | other (somebody else was reached); `given`: item → what was said when asked again."""

    __tablename__ = "verifications"
    __table_args__ = (
        Index("ix_verifications_survey_id_outcome", "survey_id", "outcome"),
        Index("ix_verifications_call_id", "call_id"),
    )
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", ondelete="SET NULL"))
    verifier_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    remembers: Mapped[str | None]
    given: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[str] = mapped_column(default="open")
    drawn_at: Mapped[datetime] = mapped_column(default=real_now)
    done_at: Mapped[datetime | None]
