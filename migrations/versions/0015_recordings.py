"""recordings: what was said to whom about them, where each lies and what became of it; a queue's wish to record"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "recording_notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.String, nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.add_column("call_queues", sa.Column("recording", sa.String, nullable=False, server_default="off"))
    op.add_column("call_queues", sa.Column("recording_notice_id", sa.Integer, sa.ForeignKey("recording_notices.id")))
    op.create_check_constraint(
        op.f("ck_call_queues_recorded_with_notice"),
        "call_queues",
        "recording = 'off' OR recording_notice_id IS NOT NULL",
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="SET NULL"), unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("wanted", sa.String, nullable=False),
        sa.Column("switch", sa.String, nullable=False),
        sa.Column("notice_id", sa.Integer, sa.ForeignKey("recording_notices.id"), nullable=False),
        sa.Column("notice_at", TIME, nullable=False),
        sa.Column("must_ask", sa.Boolean, nullable=False),
        sa.Column("answer", sa.String),
        sa.Column("answered_at", TIME),
        sa.Column("answer_by", sa.Integer, sa.ForeignKey("operators.id")),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("stored_at", TIME),
        sa.Column("in_spool", sa.Boolean, nullable=False),
        sa.Column("storage", sa.String),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("size", sa.BigInteger),
        sa.Column("sha256", sa.String),
        sa.Column("peaks", JSONB),
        sa.Column("fault", sa.String),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", TIME),
        sa.Column("leased_until", TIME),
        sa.Column("held_at", TIME),
        sa.Column("held_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("hold_reason", sa.String),
        sa.Column("goes_after_hold", sa.Boolean, nullable=False),
        sa.Column("deleted_at", TIME),
        sa.Column("deletion", sa.String),
        sa.Column("deletion_reason", sa.String),
    )
    live = sa.text("state IN ('asked', 'recording', 'paused')")
    op.create_index("ix_recordings_live", "recordings", ["call_id"], postgresql_where=live)
    waits = sa.text("next_at IS NOT NULL")
    op.create_index("ix_recordings_next_at", "recordings", ["next_at"], postgresql_where=waits)
    op.create_index("ix_recordings_asked_at", "recordings", ["asked_at", "id"])


def downgrade() -> None:
    op.drop_table("recordings")
    op.drop_constraint(op.f("ck_call_queues_recorded_with_notice"), "call_queues", type_="check")
    op.drop_column("call_queues", "recording_notice_id")
    op.drop_column("call_queues", "recording")
    op.drop_table("recording_notices")
