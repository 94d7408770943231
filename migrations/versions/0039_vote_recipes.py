"""vote recipes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "vote_recipes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("parameters", postgresql.JSONB, nullable=False),
        sa.Column("note", sa.String, nullable=False, server_default=""),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("signed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("signed_at", TIME),
        sa.UniqueConstraint("survey_id", "version", name=op.f("uq_vote_recipes_survey_id_version")),
        sa.CheckConstraint("signed_by <> made_by", name=op.f("ck_vote_recipes_two_people")),
        sa.CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name=op.f("ck_vote_recipes_signed")),
    )


def downgrade() -> None:
    op.drop_table("vote_recipes")
