"""import engine"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    for column in (
        sa.Column("options", json, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes_total", sa.BigInteger()),
        sa.Column("resume", json),
        sa.Column("change_ids", json, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.Column("undone_by", sa.Integer(), sa.ForeignKey("users.id", name="fk_import_batches_undone_by")),
    ):
        op.add_column("import_batches", column)
    op.create_table(
        "import_changes",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("before", json),
        sa.Column("phones", json),
        sa.PrimaryKeyConstraint("import_id", "contact_id", name="pk_import_changes"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_batches.id"], name="fk_import_changes_import_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name="fk_import_changes_contact_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_import_changes_contact_id", "import_changes", ["contact_id"])


def downgrade() -> None:
    op.drop_table("import_changes")
    for column in (
        "undone_by",
        "undone_at",
        "change_ids",
        "resume",
        "bytes_total",
        "bytes_done",
        "attempts",
        "options",
    ):
        op.drop_column("import_batches", column)
