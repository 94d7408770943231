"""trunks: lines to the telephone network, how they fare, and calls that try them out"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def _trunk_id() -> sa.Column[int]:
    return sa.Column("trunk_id", sa.Integer, sa.ForeignKey("trunks.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "trunks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("switch_id", sa.Integer, sa.ForeignKey("switches.id"), nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("transport", sa.String, nullable=False),
        sa.Column("username", sa.String),
        sa.Column("secret_sealed", sa.String),
        sa.Column("registers", sa.Boolean, nullable=False),
        sa.Column("asks_alive", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("number_format", sa.String, nullable=False),
        sa.Column("number_prefix", sa.String, nullable=False, server_default=""),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("calls_per_second", sa.Integer, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("position", sa.Integer, nullable=False, server_default=sa.text("10")),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("written_at", TIME),
        sa.Column("write_fault", sa.String),
        sa.Column("registered", sa.Boolean),
        sa.Column("registered_at", TIME),
        sa.Column("reachable", sa.Boolean),
        sa.Column("detail", sa.String),
        sa.Column("faults", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("last_fault", sa.String),
        sa.Column("last_fault_at", TIME),
        sa.Column("resting_until", TIME),
        sa.Column("rest_seconds", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        sa.CheckConstraint("channels > 0 AND calls_per_second > 0", name="capacity"),
    )
    op.create_table(
        "trunk_prefixes",
        sa.Column("id", sa.Integer, primary_key=True),
        _trunk_id(),
        sa.Column("prefix", sa.String, nullable=False),
        sa.Column("cost", sa.Numeric(8, 4), nullable=False),
        sa.UniqueConstraint("trunk_id", "prefix"),
    )
    op.create_table(
        "trunk_numbers",
        sa.Column("id", sa.Integer, primary_key=True),
        _trunk_id(),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("area_codes", postgresql.ARRAY(sa.String), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("position", sa.Integer, nullable=False),
        sa.UniqueConstraint("trunk_id", "number"),
    )
    op.create_table(
        "trunk_results",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        _trunk_id(),
        sa.Column("at", TIME, nullable=False),
        sa.Column("q850", sa.Integer),
        sa.Column("sip_code", sa.Integer),
        sa.Column("is_fault", sa.Boolean, nullable=False),
    )
    op.create_index("ix_trunk_results_trunk_id_id", "trunk_results", ["trunk_id", "id"])
    op.create_table(
        "trunk_tests",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.Uuid, nullable=False, unique=True),
        _trunk_id(),
        sa.Column("number", sa.String),
        sa.Column("shown", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("result", sa.String),
        sa.Column("ref", sa.String),
        sa.Column("q850", sa.Integer),
        sa.Column("sip_code", sa.Integer),
        sa.Column("asked_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("deadline_at", TIME, nullable=False),
        sa.Column("ringing_at", TIME),
        sa.Column("answered_at", TIME),
        sa.Column("ended_at", TIME),
    )
    op.create_index("ix_trunk_tests_trunk_id_id", "trunk_tests", ["trunk_id", "id"])
    op.add_column("calls", sa.Column("trunk_id", sa.Integer, sa.ForeignKey("trunks.id", ondelete="SET NULL")))
    op.create_index("ix_calls_trunk_live", "calls", ["trunk_id"],
                    postgresql_where=sa.text("trunk_id IS NOT NULL AND state <> 'ended'"))  # fmt: skip
    op.create_index("ix_calls_trunk_id_placed_at", "calls", ["trunk_id", "placed_at"],
                    postgresql_where=sa.text("trunk_id IS NOT NULL"))  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_calls_trunk_id_placed_at", "calls")
    op.drop_index("ix_calls_trunk_live", "calls")
    op.drop_column("calls", "trunk_id")
    for table in ("trunk_tests", "trunk_results", "trunk_numbers", "trunk_prefixes", "trunks"):
        op.drop_table(table)
