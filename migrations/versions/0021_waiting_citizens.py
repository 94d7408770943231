"""the care of those who picked up and found nobody: a message, where a campaign wants one"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_campaigns", sa.Column("is_standing", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "apology_messages",
        sa.Column("queue_id", sa.Integer, nullable=False),
        sa.Column("message_campaign_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["call_queues.id"], name=op.f("fk_apology_messages_queue_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_campaign_id"], ["message_campaigns.id"], name=op.f("fk_apology_messages_message_campaign_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_apology_messages")),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("apology_messages")
    op.drop_column("message_campaigns", "is_standing")
