"""recorded surveys: prompts, what became of a recorded call, keys and how long they took, voice answers"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
UUID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    op.add_column("call_queues", sa.Column("sessions", sa.Integer))
    op.add_column("switches", sa.Column("ivr_seen_at", TIME))
    op.add_column("switches", sa.Column("ivr_sessions", sa.Integer, nullable=False, server_default=sa.text("60")))
    op.create_table(
        "prompt_sounds",
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("wav", sa.LargeBinary, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "prompts",
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("wording", sa.String),
        sa.Column("sha256", sa.String, sa.ForeignKey("prompt_sounds.sha256")),
        sa.Column("source", sa.String),
        sa.Column("file_name", sa.String),
        sa.Column("changed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_index("ix_prompts_sha256", "prompts", ["sha256"])
    op.create_table(
        "recorded_calls",
        sa.Column("call_id", UUID, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("switch", sa.String, nullable=False),
        sa.Column("interview_id", UUID, sa.ForeignKey("interviews.id", ondelete="SET NULL")),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("met_challenge_at", TIME),
        sa.Column("agreed_to_voice", sa.Boolean),
        sa.Column("code", sa.String),
        sa.Column("ended_at", TIME),
    )
    op.create_index(
        "ix_recorded_calls_open", "recorded_calls", ["switch"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_recorded_calls_interview_id", "recorded_calls", ["interview_id"])
    op.create_table(
        "keystrokes",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("interview_id", UUID, sa.ForeignKey("interviews.id", ondelete="CASCADE"), nullable=False),
        sa.Column("item", sa.String, nullable=False),
        sa.Column("keys", sa.String, nullable=False),
        sa.Column("offered", postgresql.JSONB, nullable=False),
        sa.Column("prompt_ms", sa.Integer, nullable=False),
        sa.Column("after_ms", sa.Integer, nullable=False),
        sa.Column("is_answer", sa.Boolean, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_keystrokes_interview_id", "keystrokes", ["interview_id"])
    op.create_table(
        "voice_answers",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("interview_id", UUID, sa.ForeignKey("interviews.id", ondelete="CASCADE"), nullable=False),
        sa.Column("item", sa.String, nullable=False),
        sa.Column("switch", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("storage", sa.String),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("size", sa.Integer),
        sa.Column("transcript", sa.String),
        sa.Column("transcribed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("transcribed_at", TIME),
        sa.Column("at", TIME, nullable=False),
        sa.Column("removed_at", TIME),
    )
    op.create_index("ix_voice_answers_interview_id", "voice_answers", ["interview_id"])
    op.create_index(
        "ix_voice_answers_waiting", "voice_answers", ["at"], postgresql_where=sa.text("state IN ('left', 'going')")
    )
    op.create_table(
        "prompt_trials",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("sponsor", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def downgrade() -> None:
    for table in ("prompt_trials", "voice_answers", "keystrokes", "recorded_calls", "prompts", "prompt_sounds"):
        op.drop_table(table)
    op.drop_column("switches", "ivr_sessions")
    op.drop_column("switches", "ivr_seen_at")
    op.drop_column("call_queues", "sessions")
