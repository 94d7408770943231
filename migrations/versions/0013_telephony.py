"""telephony: switches; what answers a queue's calls; the direction of a call"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "switches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("ami_port", sa.Integer, nullable=False),
        sa.Column("ws_url", sa.String, nullable=False),
        sa.Column("secrets_sealed", sa.String, nullable=False),
        sa.Column("folder", sa.String),
        sa.Column("folder_there", sa.String),
        sa.Column("is_enabled", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("seen_at", TIME),
        sa.Column("booted_at", TIME),
        sa.Column("version", sa.String),
        sa.Column("fault", sa.String),
    )
    op.add_column("call_queues", sa.Column("answered_by", sa.String, nullable=False, server_default="operator"))
    op.add_column("call_queues", sa.Column("machine_detection", sa.String, nullable=False, server_default="off"))
    op.add_column("calls", sa.Column("direction", sa.String, nullable=False, server_default="out"))


def downgrade() -> None:
    op.drop_column("calls", "direction")
    op.drop_column("call_queues", "machine_detection")
    op.drop_column("call_queues", "answered_by")
    op.drop_table("switches")
