"""The rows of interviews and answers, on which interviews, quotas and results stand."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Interview(Base):
    """One person's way through one questionnaire. `state`: started | complete | partial | screened | void.

    `seed` fixes the order of randomised choices; `hidden` holds values filled from the call (section, sex, age…).
    `at` is campaign time. No name and no phone here: results are never read beside a person's identity.
    `queue_id`: the campaign's queue, kept when the call is unlinked. `over_quota`: the person's group had enough when
    they said to which they belong; `screened`: then only the strata were asked.
    `wave`, `stratum`, `base_weight` (1: an average case), `case_id`: of the sample, set when it begins (survey_waves,
    sample_cases).
    """

    __tablename__ = "interviews"
    __table_args__ = (
        UniqueConstraint("call_id"),
        Index("ix_interviews_survey_id_state", "survey_id", "state"),
        Index("ix_interviews_queue_id_state", "queue_id", "state"),
        Index("ix_interviews_open", "started_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_interviews_survey_id_changed", "survey_id", "changed"),
        Index("ix_interviews_case_id", "case_id", postgresql_where=text("case_id IS NOT NULL")),
        Index("ix_interviews_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"))
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaires.id"))
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", ondelete="SET NULL"))
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("call_queues.id", ondelete="SET NULL"))
    interviewer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    face: Mapped[str] = mapped_column(default="screen")
    language: Mapped[str] = mapped_column(default="es")
    state: Mapped[str] = mapped_column(default="started")
    over_quota: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    wave: Mapped[str | None]
    stratum: Mapped[str | None]
    base_weight: Mapped[float] = mapped_column(default=1.0, server_default=text("1"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("sample_cases.id", ondelete="SET NULL"))
    seed: Mapped[int] = mapped_column(BigInteger)
    hidden: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
    started_at: Mapped[datetime] = mapped_column(default=real_now)
    ended_at: Mapped[datetime | None]
    # The transaction that changed the interview or its answers last; triggers set it, response_stream reads it.
    changed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class Answer(Base):
    """One answer to one item. A later answer to the same item supersedes it; nothing is deleted.

    `counts` is false while an earlier answer makes the item irrelevant: the trail stays, results leave it out.
    `client_key` is the sender's own: the same key twice is one answer, however late the second one comes.
    `face`, `interviewer_id`: how and by whom this one was asked: an interview may begin in a call and end by a link.
    """

    __tablename__ = "answers"
    __table_args__ = (
        Index(
            "uq_answers_current", "interview_id", "item", unique=True, postgresql_where=text("superseded_at IS NULL")
        ),
        Index("ix_answers_item", "item", postgresql_where=text("superseded_at IS NULL")),
        UniqueConstraint("interview_id", "client_key"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    item: Mapped[str]
    value: Mapped[str]  # the code; codes of select_multiple separated by spaces, as in ODK
    choice_order: Mapped[list[Any] | None]  # codes as they were shown
    counts: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    client_key: Mapped[str | None]
    face: Mapped[str | None]
    interviewer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(default=real_now)
    seconds: Mapped[float | None]  # from the question shown to the answer
    superseded_at: Mapped[datetime | None]


def is_present(answer: type[Answer], item: str) -> Any:
    """SQL: this interview's answer to the item that holds now and applies. `answer`: Answer or an alias of it."""
    return (
        (answer.interview_id == Interview.id)
        & (answer.item == item)
        & answer.superseded_at.is_(None)
        & answer.counts.is_(True)
    )
