"""quotas of surveys by joint cells"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("interviews", sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="SET NULL")))
    op.add_column("interviews", sa.Column("over_quota", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.execute("UPDATE interviews SET queue_id = calls.queue_id FROM calls WHERE calls.id = interviews.call_id")
    op.create_index("ix_interviews_queue_id_state", "interviews", ["queue_id", "state"])
    op.create_table(
        "quotas",
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("dimensions", postgresql.JSONB, nullable=False),
        sa.Column("when_full", sa.String, nullable=False),
        sa.Column("stop_margin", sa.Double),
        sa.Column("stopped_at", TIME),
        sa.Column("changed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("changed_at", TIME, nullable=False),
        sa.CheckConstraint("when_full IN ('screen', 'finish')", name="when_full"),
    )
    op.create_table(
        "quota_cells",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("quotas.queue_id", ondelete="CASCADE"), nullable=False),
        sa.Column("group_values", postgresql.JSONB, nullable=False),
        sa.Column("target", sa.Integer),
        sa.UniqueConstraint("queue_id", "group_values"),
        sa.CheckConstraint("target >= 0", name="target"),
    )


def downgrade() -> None:
    op.drop_table("quota_cells")
    op.drop_table("quotas")
    op.drop_index("ix_interviews_queue_id_state", "interviews")
    op.drop_column("interviews", "over_quota")
    op.execute("UPDATE interviews SET state = 'partial' WHERE state = 'screened'")
    op.drop_column("interviews", "queue_id")
