"""in the call: hold, legs beside the citizen's, transfers; inbound; listening"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("calls", sa.Column("held_at", TIME))
    op.add_column("calls", sa.Column("handed_out_at", TIME))
    op.create_table(
        "transfer_targets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("phone", sa.String, nullable=False, unique=True),
        sa.Column("is_enabled", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.create_table(
        "call_legs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("target_id", sa.Integer, sa.ForeignKey("transfer_targets.id", ondelete="SET NULL")),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id")),
        sa.Column("asked_by", sa.Integer, sa.ForeignKey("operators.id"), nullable=False),
        sa.Column("room", sa.String, nullable=False),
        sa.Column("ref", sa.String),
        sa.Column("state", sa.String, nullable=False, server_default="asked"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("answered_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("cause", JSONB),
    )
    op.create_index("ix_call_legs_call_id", "call_legs", ["call_id"])
    op.create_index("ix_call_legs_live", "call_legs", ["created_at"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "listenings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id"), nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("ref", sa.String),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("heard_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("fault", sa.String),
    )
    op.create_index(
        "uq_listenings_live", "listenings", ["user_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "ix_listenings_operator", "listenings", ["operator_id"], postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade() -> None:
    op.drop_table("listenings")
    op.drop_table("call_legs")
    op.drop_table("transfer_targets")
    op.drop_column("calls", "handed_out_at")
    op.drop_column("calls", "held_at")
