"""message campaigns: drafts, wordings, waves, a second person's approval"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

COLUMNS: dict[str, tuple[Any, str | None]] = {
    "canary_share": (sa.Float, None),
    "canary_release": (sa.String, "person"),
    "canary_minutes": (sa.Integer, "60"),
    "canary_least_delivered": (sa.Float, "80"),
    "canary_most_opt_outs": (sa.Float, "2"),
    "trial_goal": (sa.String, "clicks"),
    "winner": (sa.String, None),
    "rest_released_at": (sa.DateTime(timezone=True), None),
    "approved_version": (sa.String, None),
    "approved_at": (sa.DateTime(timezone=True), None),
}
PEOPLE = ("rest_released_by", "approved_by", "changed_by")


def upgrade() -> None:
    for name, (kind, usual) in COLUMNS.items():
        op.add_column("message_campaigns", sa.Column(name, kind, nullable=usual is None, server_default=usual))
    for name in PEOPLE:
        op.add_column("message_campaigns", sa.Column(name, sa.Integer, sa.ForeignKey("users.id")))
    op.create_table(
        "message_wordings",
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"),
                  primary_key=True),
        sa.Column("letter", sa.String, primary_key=True),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("share", sa.Integer, nullable=False, server_default=sa.text("100")),
        sa.CheckConstraint("letter IN ('A', 'B')", name="letter"),
        sa.CheckConstraint("share BETWEEN 1 AND 100", name="share"),
    )  # fmt: skip
    op.create_table(
        "message_drafts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("form", postgresql.JSONB, nullable=False),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"), unique=True),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "message_approvals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"),
                  nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("remark", sa.String, nullable=False, server_default=""),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )  # fmt: skip
    op.create_index("ix_message_approvals_campaign_id", "message_approvals", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("message_approvals")
    op.drop_table("message_drafts")
    op.drop_table("message_wordings")
    for name in (*PEOPLE, *COLUMNS):
        op.drop_column("message_campaigns", name)
