"""message wording: without accents, links with their clicks, rehearsals"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_campaigns", sa.Column("is_plain", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("message_clicks", sa.Column("position", sa.SmallInteger, nullable=False, server_default="1"))
    op.create_table(
        "message_links",
        sa.Column(
            "campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.SmallInteger, primary_key=True),
        sa.Column("url", sa.String, nullable=False),
        sa.UniqueConstraint("campaign_id", "url", name=op.f("uq_message_links_campaign_id_url")),
        sa.CheckConstraint("position BETWEEN 1 AND 9", name=op.f("ck_message_links_position")),
    )
    op.create_table(
        "link_codes",
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("message_id", sa.Uuid, sa.ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
        sa.UniqueConstraint("message_id", name=op.f("uq_link_codes_message_id")),
    )
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("total", sa.Integer),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("result", postgresql.JSONB, nullable=False),
        sa.Column("asked_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name=op.f("ck_rehearsals_state")),
    )
    op.create_index("ix_rehearsals_campaign_id", "rehearsals", ["campaign_id"])
    op.create_index(
        "uq_rehearsals_running", "rehearsals", ["campaign_id"], unique=True, postgresql_where=sa.text("state = 'running'")
    )  # fmt: skip


def downgrade() -> None:
    for table in ("rehearsals", "link_codes", "message_links"):
        op.drop_table(table)
    op.drop_column("message_clicks", "position")
    op.drop_column("message_campaigns", "is_plain")
