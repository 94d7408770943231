"""segment pages: versions, drafts, campaigns to frozen lists"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CAMPAIGNS = ("call_campaigns", "message_campaigns")


def upgrade() -> None:
    op.create_table(
        "segment_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rule", postgresql.JSONB(), nullable=False),
        sa.Column("saved_by", sa.Integer(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name="fk_segment_versions_segment_id_segments", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["saved_by"], ["users.id"], name="fk_segment_versions_saved_by_users"),
        sa.PrimaryKeyConstraint("id", name="pk_segment_versions"),
        sa.UniqueConstraint("segment_id", "version", name="uq_segment_versions_segment_id_version"),
    )
    op.execute(
        "INSERT INTO segment_versions (segment_id, version, name, rule, saved_by, saved_at)"
        " SELECT id, version, name, rule, created_by, updated_at FROM segments"
    )
    op.create_table(
        "segment_drafts",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", postgresql.JSONB(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_segment_drafts_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "segment_id", name="pk_segment_drafts"),
    )
    for table in CAMPAIGNS:
        op.add_column(table, sa.Column("frozen_segment_id", sa.Integer(), nullable=True))
        op.create_foreign_key(
            f"fk_{table}_frozen_segment_id_frozen_segments", table, "frozen_segments", ["frozen_segment_id"], ["id"]
        )


def downgrade() -> None:
    for table in CAMPAIGNS:
        op.drop_column(table, "frozen_segment_id")
    op.drop_table("segment_drafts")
    op.drop_table("segment_versions")
