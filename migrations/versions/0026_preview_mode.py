"""preview and manual dialling"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "previews",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="CASCADE"), nullable=False),
        sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("queue_entries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("result", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="SET NULL")),
    )
    for column in ("operator_id", "entry_id"):
        op.create_index(
            f"uq_previews_open_{column}", "previews", [column], unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        )  # fmt: skip
    op.create_index("ix_previews_entry_id", "previews", ["entry_id"])
    op.create_index("ix_previews_operator_id_ended_at", "previews", ["operator_id", "ended_at"])
    op.create_index("ix_previews_call_id", "previews", ["call_id"], postgresql_where=sa.text("call_id IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("previews")
