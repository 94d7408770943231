"""Pictures that a form names: by their content, and by the version that shows them."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "questionnaire_pictures",
        sa.Column(
            "questionnaire_id", sa.Integer(), sa.ForeignKey("questionnaires.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("sha256", sa.String(), sa.ForeignKey("pictures.sha256"), nullable=False),
        sa.Column("added_by", sa.Integer(), sa.ForeignKey("users.id")),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_questionnaire_pictures_sha256", "questionnaire_pictures", ["sha256"])


def downgrade() -> None:
    op.drop_table("questionnaire_pictures")
    op.drop_table("pictures")
