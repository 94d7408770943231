"""how fast a queue dials, what the dialer decided, and which calls were given up"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
COUNTS = ("idle", "wrapping", "talking", "ringing", "waiting", "lines_free", "attempts", "answered", "abandoned",
          "given_up", "place", "planned", "hang_up", "broken_off")  # fmt: skip


def upgrade() -> None:
    op.add_column("call_queues", sa.Column("abandon_limit", sa.Float, nullable=False, server_default="0.01"))
    op.add_column("call_queues", sa.Column("ratio", sa.Float, nullable=False, server_default="1.5"))
    op.add_column("call_queues", sa.Column("gives_up", sa.Boolean, nullable=False, server_default=sa.text("true")))
    op.add_column("call_queues", sa.Column("calls_per_second", sa.Integer))
    op.add_column("call_queues", sa.Column("falls_back", sa.String))
    op.create_check_constraint(
        op.f("ck_call_queues_pace"), "call_queues", "abandon_limit BETWEEN 0 AND 0.03 AND ratio >= 1"
    )
    op.create_table(
        "dial_decisions",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("falls_back", sa.String),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        sa.Column("risk", sa.Float),
        sa.Column("reason", sa.String),
    )
    op.create_index("ix_dial_decisions_queue_id_id", "dial_decisions", ["queue_id", "id"])
    op.add_column("calls", sa.Column("given_up_at", TIME))
    op.create_index("ix_calls_queue_id_placed_at", "calls", ["queue_id", "placed_at"],
                    postgresql_where=sa.text("placed_at IS NOT NULL"))  # fmt: skip
    op.create_index("ix_calls_given_up", "calls", ["queue_id"], postgresql_where=sa.text("given_up_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_calls_given_up", "calls")
    op.drop_index("ix_calls_queue_id_placed_at", "calls")
    op.drop_column("calls", "given_up_at")
    op.drop_table("dial_decisions")
    op.drop_constraint(op.f("ck_call_queues_pace"), "call_queues")
    for column in ("falls_back", "calls_per_second", "gives_up", "ratio", "abandon_limit"):
        op.drop_column("call_queues", column)
