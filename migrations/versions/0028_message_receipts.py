"""message receipts: what the breaker looks at and writes down, and the leases of claimed messages"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
RESULTS = "state IN ('delivered', 'undelivered', 'failed')"


def upgrade() -> None:
    op.create_index(
        "ix_messages_results", "messages", ["campaign_id", "finished_at"], postgresql_where=sa.text(RESULTS)
    )
    op.create_index("ix_messages_leases", "messages", ["lease_until"], postgresql_where=sa.text("state = 'sending'"))
    op.create_table(
        "message_breaks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("trouble", sa.String, nullable=False),
        sa.Column("aspect", sa.String, nullable=False),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.Column("usual", sa.Float, nullable=False),
        sa.Column("resumed_at", TIME),
    )
    op.create_index("ix_message_breaks_campaign_id", "message_breaks", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("message_breaks")
    op.drop_index("ix_messages_leases", "messages")
    op.drop_index("ix_messages_results", "messages")
