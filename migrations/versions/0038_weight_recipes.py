"""weight recipes: versions of how a survey is weighed, signed off by a second person"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "weight_recipes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("recipe", postgresql.JSONB, nullable=False),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("signed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("signed_at", TIME),
        sa.UniqueConstraint("survey_id", "version"),
        sa.CheckConstraint("(signed_by IS NULL) = (signed_at IS NULL)", name="signature"),
        sa.CheckConstraint("signed_by <> made_by", name="second_person"),
    )


def downgrade() -> None:
    op.drop_table("weight_recipes")
