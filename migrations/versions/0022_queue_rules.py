"""who is called when: retries, passes, order, spending"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
# What a queue said of its own before, as the rules that mean the same.
KEEP_RULES = """
    UPDATE call_queues SET rules = jsonb_strip_nulls(jsonb_build_object(
        'most_attempts', CASE WHEN max_attempts = 3 THEN NULL ELSE LEAST(max_attempts, 6) END,
        'retries', (SELECT jsonb_object_agg(key, jsonb_build_object('minutes', value)) FROM jsonb_each(retry_minutes))
    ))"""
GIVE_BACK = """
    UPDATE call_queues SET max_attempts = COALESCE(CAST(rules ->> 'most_attempts' AS integer), 3),
        retry_minutes = COALESCE((SELECT jsonb_object_agg(key, value -> 'minutes')
            FROM jsonb_each(rules -> 'retries') WHERE value ? 'minutes'), '{}')"""
READY = "state = 'waiting' AND NOT is_callback"


def upgrade() -> None:
    op.add_column("call_queues", sa.Column("rules", JSON, nullable=False, server_default=sa.text("'{}'")))
    op.add_column("call_queues", sa.Column("only_callbacks", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(KEEP_RULES)
    op.drop_column("call_queues", "max_attempts")
    op.drop_column("call_queues", "retry_minutes")
    for name, default in (("pass_number", "1"), ("urgency", "0"), ("hour_group", "0")):
        column = sa.Column(name, sa.SmallInteger, nullable=False, server_default=sa.text(default))
        op.add_column("queue_entries", column)
    op.add_column("queue_entries", sa.Column("pass_began_at", TIME))
    op.add_column("queue_entries", sa.Column("phone_id", sa.BigInteger))
    op.create_foreign_key(
        op.f("fk_queue_entries_phone_id"), "queue_entries", "contact_phones", ["phone_id"], ["id"], ondelete="SET NULL"
    )
    op.drop_index("ix_queue_entries_ready", "queue_entries")
    keys = ["queue_id", "priority", "urgency", "pass_number", "hour_group", "id"]
    now = sa.text(f"{READY} AND not_before IS NULL")
    op.create_index("ix_queue_entries_ready", "queue_entries", keys, postgresql_where=now)
    later = sa.text(f"{READY} AND not_before IS NOT NULL")
    op.create_index("ix_queue_entries_resting", "queue_entries", ["queue_id", "not_before", "id"],
                    postgresql_where=later)  # fmt: skip
    talked = sa.text("state = 'done' AND reason = 'completed'")
    op.create_index("ix_queue_entries_completed", "queue_entries", ["queue_id", "contact_id"], postgresql_where=talked)
    silent = sa.text("state = 'waiting' AND reason = 'abandoned'")
    op.create_index("ix_queue_entries_abandoned", "queue_entries", ["queue_id", "not_before", "id"],
                    postgresql_where=silent)  # fmt: skip
    op.create_index("ix_queue_entries_phone_id", "queue_entries", ["phone_id"],
                    postgresql_where=sa.text("phone_id IS NOT NULL"))  # fmt: skip
    op.create_index("ix_queue_entries_voted", "queue_entries", ["contact_id"],
                    postgresql_where=sa.text("reason = 'voted'"))  # fmt: skip
    # Every claim and every end of a try leaves a dead row in front of the next claim's walk.
    op.execute("ALTER TABLE queue_entries SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 85)")
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "answer_hours",
        sa.Column("hour_group", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("answers", sa.Integer, nullable=False),
        sa.Column("learned_at", TIME, nullable=False),
    )
    op.create_table(
        "queue_days",
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("spent", sa.Numeric(14, 4), nullable=False),
        sa.Column("counted_at", TIME, nullable=False),
    )
    op.create_table(
        "section_standings",
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("section_id", sa.Integer, sa.ForeignKey("sections.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("urgency", sa.SmallInteger, nullable=False),
    )
    op.create_index("ix_section_standings_section_id", "section_standings", ["section_id"])


def downgrade() -> None:
    for table in ("section_standings", "queue_days", "answer_hours"):
        op.drop_table(table)
    op.execute("ALTER TABLE queue_entries RESET (autovacuum_vacuum_scale_factor, fillfactor)")
    for name in ("voted", "phone_id", "abandoned", "completed", "resting", "ready"):
        op.drop_index(f"ix_queue_entries_{name}", "queue_entries")
    op.create_index("ix_queue_entries_ready", "queue_entries", ["queue_id", sa.text("priority DESC"), "id"],
                    postgresql_where=sa.text(READY))  # fmt: skip
    op.drop_constraint(op.f("fk_queue_entries_phone_id"), "queue_entries", type_="foreignkey")
    for name in ("phone_id", "pass_began_at", "hour_group", "urgency", "pass_number"):
        op.drop_column("queue_entries", name)
    op.add_column("call_queues", sa.Column("max_attempts", sa.Integer, nullable=False, server_default="3"))
    op.add_column("call_queues", sa.Column("retry_minutes", JSON, nullable=False, server_default=sa.text("'{}'")))
    op.execute(GIVE_BACK)
    op.alter_column("call_queues", "max_attempts", server_default=None)
    op.alter_column("call_queues", "retry_minutes", server_default=None)
    op.drop_column("call_queues", "only_callbacks")
    op.drop_column("call_queues", "rules")
