"""how the account at the carrier stands, and what its calls cost"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_checks",
        sa.Column("carrier", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "carrier_rates",
        sa.Column("carrier", sa.String(), primary_key=True),
        sa.Column("prefix", sa.String(), primary_key=True),
        sa.Column("price", sa.Numeric(12, 6), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "call_prices",
        sa.Column("call_id", sa.Uuid(), sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("price", sa.Numeric(12, 6), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("trial_calls", sa.Column("told", sa.String()))


def downgrade() -> None:
    op.drop_column("trial_calls", "told")
    op.drop_table("call_prices")
    op.drop_table("carrier_rates")
    op.drop_table("account_checks")
