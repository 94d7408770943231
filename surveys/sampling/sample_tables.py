"""The tables of samples: numbering plans, waves, what was drawn and what of it was released."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class NumberingPlan(Base):
    """A file that says which telephone numbers were given out. `state`: uploaded → ready | failed.

    `file`: where the upload lies until it was read; `counts`: rows, ranges, numbers, refused, by kind;
    `faults`: the first rows that were left out, [{"row", "message", "values"}]."""

    __tablename__ = "numbering_plans"
    __table_args__ = (CheckConstraint("state IN ('uploaded', 'ready', 'failed')", name="state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    file_name: Mapped[str]
    file: Mapped[str | None]
    sha256: Mapped[str]
    state: Mapped[str] = mapped_column(default="uploaded")
    error: Mapped[str | None]  # callcenter.tables.file_faults.stored
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    faults: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class NumberingRange(Base):
    """Numbers of ten digits from `first` to `last`, both included; `kind`: mobile | landline | unknown."""

    __tablename__ = "numbering_ranges"
    __table_args__ = (
        CheckConstraint("last >= first", name="ends"),
        Index("ix_numbering_ranges_plan_id_first", "plan_id", "first"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("numbering_plans.id", ondelete="CASCADE"))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]


class SurveyWave(Base):
    """One measurement of a survey that is repeated. Days are campaign days; without `closes_on` it stays open.

    `code` stands in `interviews.wave`. `break_reason`: what is no longer as in the wave before (wording, mode, frame),
    so that trends are drawn broken; None: comparable."""

    __tablename__ = "survey_waves"
    __table_args__ = (
        UniqueConstraint("survey_id", "code"),
        CheckConstraint("closes_on IS NULL OR closes_on >= opens_on", name="days"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    code: Mapped[str]
    label: Mapped[str]
    opens_on: Mapped[date]
    closes_on: Mapped[date | None]
    break_reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class Sample(Base):
    """Cases drawn for one survey with a stored seed. `state`: drawing → drawn | failed.

    `frame`: rdd | segment | panel; `options`: what was asked for (surveys.samples.Wanted). The replicates 1 to
    `released` are in the field; the others are nobody's business yet. `digest`: SHA-256 of what was drawn, in order.
    `queue_id`: the campaign's queue into which releases go. `left_out`: numbers that were passed over, by reason."""

    __tablename__ = "samples"
    __table_args__ = (
        CheckConstraint("state IN ('drawing', 'drawn', 'failed')", name="state"),
        CheckConstraint("released BETWEEN 0 AND replicates", name="released"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), index=True)
    title: Mapped[str]
    wave: Mapped[str | None]
    frame: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    size: Mapped[int]
    replicates: Mapped[int]
    released: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    seed: Mapped[str]
    state: Mapped[str] = mapped_column(default="drawing")
    error: Mapped[str | None]
    frame_size: Mapped[int | None] = mapped_column(BigInteger)
    left_out: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str | None]
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("call_queues.id", ondelete="SET NULL"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    drawn_at: Mapped[datetime | None]


class SampleStratum(Base):
    """One stratum of a sample. `base_weight`: (share of the frame) / (share of the draw), 1 in a proportional one."""

    __tablename__ = "sample_strata"
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    stratum: Mapped[str] = mapped_column(primary_key=True)
    frame_size: Mapped[int] = mapped_column(BigInteger)
    drawn: Mapped[int]
    base_weight: Mapped[float]


class SampleCase(Base):
    """One drawn number or person. `number`: its place in the draw, from 1. A random number is only a `phone` until its
    replicate is released; then it is a person without a name, and the phone stands with them alone."""

    __tablename__ = "sample_cases"
    __table_args__ = (
        UniqueConstraint("sample_id", "number"),
        Index("ix_sample_cases_sample_id_replicate", "sample_id", "replicate"),
        Index("ix_sample_cases_contact_id", "contact_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"))
    number: Mapped[int]
    replicate: Mapped[int]
    stratum: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    phone: Mapped[str | None]


class SampleRelease(Base):
    """One replicate that went into the field: how many `cases`, how many of them were new in the queue."""

    __tablename__ = "sample_releases"
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    replicate: Mapped[int] = mapped_column(primary_key=True)
    cases: Mapped[int]
    queued: Mapped[int]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    released_at: Mapped[datetime] = mapped_column(default=real_now)
