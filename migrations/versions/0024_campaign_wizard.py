"""drafts and forecasts of calling campaigns, and test calls to those who prepare them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call_campaigns", sa.Column("forecast", postgresql.JSONB))
    op.create_table(
        "call_drafts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("form", postgresql.JSONB, nullable=False),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("call_campaigns.id", ondelete="CASCADE")),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "trial_calls",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("number", sa.String),
        sa.Column("shown", sa.String, nullable=False),
        sa.Column("carrier", sa.String, nullable=False),
        sa.Column("caller_id", sa.String, nullable=False),
        sa.Column("words", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("result", sa.String),
        sa.Column("ref", sa.String),
        sa.Column("asked_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_trial_calls_asked_by_asked_at", "trial_calls", ["asked_by", "asked_at"])


def downgrade() -> None:
    op.drop_table("trial_calls")
    op.drop_table("call_drafts")
    op.drop_column("call_campaigns", "forecast")
