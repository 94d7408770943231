"""softphone: the accounts with which browsers register at a switch, and what their lines are like"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "softphones",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id", ondelete="CASCADE"), unique=True),
        sa.Column("switch", sa.String, sa.ForeignKey("switches.name", ondelete="CASCADE"), nullable=False),
        sa.Column("secret_sealed", sa.String, nullable=False),
        sa.Column("serial", sa.Integer, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("opened_at", TIME),
        sa.Column("closing_at", TIME),
        sa.Column("fault", sa.String),
        sa.Column("contact", sa.String),
        sa.Column("registered_at", TIME),
        sa.Column("gone_at", TIME),
        sa.Column("loss", sa.Float),
        sa.Column("jitter_ms", sa.Float),
        sa.Column("round_trip_ms", sa.Float),
        sa.Column("measured_at", TIME),
    )


def downgrade() -> None:
    op.drop_table("softphones")
