"""message reports"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_prices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("contract", sa.String, nullable=False),
        sa.Column("unit_price", sa.Numeric(10, 5), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("provider", "channel", "valid_from"),
    )


def downgrade() -> None:
    op.drop_table("message_prices")
