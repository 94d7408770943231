"""quality of interviews: signals, call-backs that verify, hearing by question, codes of open answers"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
UUID = postgresql.UUID(as_uuid=True)


def _interview(*, primary_key: bool = False) -> sa.Column[Any]:
    reference = sa.ForeignKey("interviews.id", ondelete="CASCADE")
    return sa.Column("interview_id", UUID, reference, nullable=False, primary_key=primary_key)


def _survey(*, primary_key: bool = False) -> sa.Column[Any]:
    reference = sa.ForeignKey("surveys.id", ondelete="CASCADE")
    return sa.Column("survey_id", sa.Integer, reference, nullable=False, primary_key=primary_key)


def _user(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, sa.ForeignKey("users.id"), nullable=nullable)


def upgrade() -> None:
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index("ix_interviews_ended_at", "interviews", ["ended_at"], postgresql_where=ended)
    op.add_column("voice_answers", sa.Column("is_machine", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column(
        "voice_answers", sa.Column("transcript_tries", sa.SmallInteger, nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        "interview_signals",
        _interview(primary_key=True),
        _survey(),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("measured_at", TIME, nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("asked", sa.SmallInteger, nullable=False),
        *(sa.Column(name, postgresql.JSONB, nullable=False) for name in ("fast", "dk", "refused", "skipped")),
        sa.Column("batteries", sa.SmallInteger, nullable=False),
        sa.Column("straight", sa.SmallInteger, nullable=False),
    )
    op.create_index("ix_interview_signals_survey_id_ended_at", "interview_signals", ["survey_id", "ended_at"])
    op.create_index("ix_interview_signals_ended_at", "interview_signals", ["ended_at"])
    _coding()
    _verification()
    op.create_table(
        "sound_audits",
        sa.Column("id", sa.Integer, primary_key=True),
        _survey(),
        _interview(),
        sa.Column("item", sa.String, nullable=False),
        _user("auditor_id"),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.UniqueConstraint("interview_id", "item", "auditor_id"),
    )
    op.create_index("ix_sound_audits_survey_id", "sound_audits", ["survey_id"])


def _coding() -> None:
    op.create_table(
        "code_frames",
        sa.Column("id", sa.Integer, primary_key=True),
        _survey(),
        sa.Column("item", sa.String, nullable=False),
        sa.Column("is_multiple", sa.Boolean, nullable=False),
        sa.Column("double_share", sa.Double, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        _user("made_by", nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.UniqueConstraint("survey_id", "item"),
        sa.CheckConstraint("double_share BETWEEN 0 AND 1", name="double_share"),
    )
    op.create_table(
        "frame_codes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("frame_id", sa.Integer, sa.ForeignKey("code_frames.id", ondelete="CASCADE"), nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("retired_at", TIME),
        sa.UniqueConstraint("frame_id", "code"),
    )
    op.create_table(
        "codings",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("frame_id", sa.Integer, sa.ForeignKey("code_frames.id", ondelete="CASCADE"), nullable=False),
        _interview(),
        _user("coder_id"),
        sa.Column("codes", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.UniqueConstraint("frame_id", "interview_id", "coder_id"),
    )
    op.create_index("ix_codings_interview_id", "codings", ["interview_id"])
    op.create_table(
        "coding_decisions",
        sa.Column("frame_id", sa.Integer, sa.ForeignKey("code_frames.id", ondelete="CASCADE"), primary_key=True),
        _interview(primary_key=True),
        sa.Column("codes", sa.String, nullable=False),
        _user("decided_by"),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_coding_decisions_interview_id", "coding_decisions", ["interview_id"])


def _verification() -> None:
    op.create_table(
        "verification_plans",
        _survey(primary_key=True),
        sa.Column("share", sa.Double, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("items", postgresql.JSONB, nullable=False),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="SET NULL")),
        _user("made_by", nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.CheckConstraint("share > 0 AND share <= 1", name="share"),
    )
    op.create_table(
        "verifications",
        _interview(primary_key=True),
        _survey(),
        sa.Column("call_id", UUID, sa.ForeignKey("calls.id", ondelete="SET NULL")),
        sa.Column("verifier_id", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("remembers", sa.String),
        sa.Column("given", postgresql.JSONB, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("drawn_at", TIME, nullable=False),
        sa.Column("done_at", TIME),
    )
    op.create_index("ix_verifications_survey_id_outcome", "verifications", ["survey_id", "outcome"])
    op.create_index("ix_verifications_call_id", "verifications", ["call_id"])


def downgrade() -> None:
    for table in ("sound_audits", "verifications", "verification_plans", "coding_decisions", "codings", "frame_codes",
                  "code_frames", "interview_signals"):  # fmt: skip
        op.drop_table(table)
    op.drop_column("voice_answers", "transcript_tries")
    op.drop_column("voice_answers", "is_machine")
    op.drop_index("ix_interviews_ended_at", "interviews")
