"""Citizens who call back: the messages that they leave."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "voice_messages",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("switch", sa.String),
        sa.Column("ref", sa.String),
        sa.Column("is_with_carrier", sa.Boolean, nullable=False),
        sa.Column("storage", sa.String),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("size", sa.Integer),
        sa.Column("at", TIME, nullable=False),
        sa.Column("done_at", TIME),
        sa.Column("done_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("removed_at", TIME),
    )
    op.create_index("ix_voice_messages_at", "voice_messages", ["at", "id"])
    waiting = sa.text("is_with_carrier OR state IN ('asked', 'left', 'going')")
    op.create_index("ix_voice_messages_waiting", "voice_messages", ["at"], postgresql_where=waiting)


def downgrade() -> None:
    op.drop_table("voice_messages")
