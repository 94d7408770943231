"""Recorded surveys over a carrier's webhooks: where each stands, voices that a carrier keeps, prompts of no known length."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
UUID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    op.create_table(
        "carried_talks",
        sa.Column("call_id", UUID, primary_key=True),
        sa.Column("number", UUID, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("full", postgresql.JSONB),
        sa.Column("state", postgresql.JSONB, nullable=False),
        sa.Column("document", sa.String, nullable=False),
        sa.Column("left_code", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_carried_talks_at", "carried_talks", ["at"])
    op.add_column("voice_answers", sa.Column("carrier_ref", sa.String))
    op.create_index(
        "ix_voice_answers_with_carrier", "voice_answers", ["at"], postgresql_where=sa.text("carrier_ref IS NOT NULL")
    )
    op.alter_column("keystrokes", "prompt_ms", nullable=True)


def downgrade() -> None:
    op.execute("UPDATE keystrokes SET prompt_ms = 0 WHERE prompt_ms IS NULL")
    op.alter_column("keystrokes", "prompt_ms", nullable=False)
    op.drop_index("ix_voice_answers_with_carrier", "voice_answers")
    op.drop_column("voice_answers", "carrier_ref")
    op.drop_table("carried_talks")
