"""import pages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "saved_mappings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("names_key", sa.String(), nullable=False),
        sa.Column("columns", json, nullable=False),
        sa.Column("policies", json, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sex_letters", sa.String()),
        sa.Column("saved_by", sa.Integer(), sa.ForeignKey("users.id", name="fk_saved_mappings_saved_by_users")),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_mappings"),
        sa.UniqueConstraint("source_key", "names_key", name="uq_saved_mappings_source_key_names_key"),
    )


def downgrade() -> None:
    op.drop_table("saved_mappings")
