"""operators by telephone: their lines, and tries of one-time codes"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("operators", sa.Column("room_lost_at", TIME))
    op.create_table(
        "operator_lines",
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("way", sa.String, nullable=False, server_default="browser"),
        sa.Column("phone", sa.String),
        sa.Column("verified_at", TIME),
        sa.Column("check_hash", sa.LargeBinary),
        sa.Column("check_until", TIME),
        sa.Column("check_tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("dial_hash", sa.LargeBinary, unique=True),
        sa.Column("dial_until", TIME),
        sa.Column("ready_at", TIME),
        sa.Column("loss", sa.Float),
        sa.Column("jitter_ms", sa.Float),
        sa.Column("round_trip_ms", sa.Float),
        sa.Column("measured_at", TIME),
    )
    op.create_table(
        "code_tries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_code_tries_who_at", "code_tries", ["who", "at"])


def downgrade() -> None:
    op.drop_table("code_tries")
    op.drop_table("operator_lines")
    op.drop_column("operators", "room_lost_at")
