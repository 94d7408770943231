"""pause reasons with limits, attendance, notes, corrected outcomes"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ENDED = sa.text("ended_at IS NOT NULL")
ANSWERED = sa.text("answered_at IS NOT NULL AND state = 'ended'")
NOBODY = sa.text("answered_at IS NOT NULL AND connected_at IS NULL AND state = 'ended'")

# The log is the database's work: a change of state costs the program no statement more.
NOTE = """
CREATE FUNCTION note_operator_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO operator_changes (operator_id, at, state, reason) VALUES (NEW.id, NEW.state_since, NEW.state,
        CASE NEW.state WHEN 'paused' THEN NEW.pause_reason WHEN 'offline' THEN NEW.leave_reason END);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("operators", sa.Column("leave_reason", sa.String))
    op.create_table(
        "operator_changes",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
    )
    op.create_index("ix_operator_changes_operator_id_at", "operator_changes", ["operator_id", "at"])
    op.execute(NOTE)
    op.execute(
        "CREATE TRIGGER operators_changes AFTER UPDATE OF state_since ON operators FOR EACH ROW"
        " WHEN (NEW.state_since IS DISTINCT FROM OLD.state_since"
        " AND NOT (OLD.state = 'offline' AND NEW.state = 'offline')) EXECUTE FUNCTION note_operator_change()"
    )
    op.execute(
        "INSERT INTO operator_changes (operator_id, at, state, reason)"
        " SELECT id, state_since, state, pause_reason FROM operators"
    )
    op.create_table(
        "pause_reasons",
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("word", sa.String),
        sa.Column("minutes", sa.Integer),
        sa.Column("minutes_a_day", sa.Integer),
        sa.Column("is_work", sa.Boolean, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.create_table(
        "floor_notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id", ondelete="CASCADE")),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="CASCADE")),
        sa.Column("at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_index("ix_floor_notes_ends_at", "floor_notes", ["ends_at"])
    op.create_table(
        "floor_note_readings",
        sa.Column("note_id", sa.Integer, sa.ForeignKey("floor_notes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "outcome_corrections",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
        sa.Column("was", sa.String, nullable=False),
        sa.Column("now", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("is_followed", sa.Boolean, nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_outcome_corrections_call_id", "outcome_corrections", ["call_id"])
    op.create_index("ix_calls_ended_at", "calls", ["ended_at"], postgresql_where=ENDED)
    op.create_index(
        "ix_calls_difficult_at", "calls", ["difficult_at"], postgresql_where=sa.text("difficult_at IS NOT NULL")
    )
    op.create_index("ix_calls_queue_id_answered_at", "calls", ["queue_id", "answered_at"], postgresql_where=ANSWERED)
    op.create_index("ix_calls_found_nobody", "calls", ["queue_id", "answered_at"], postgresql_where=NOBODY)


def downgrade() -> None:
    op.drop_index("ix_calls_found_nobody", "calls")
    op.drop_index("ix_calls_queue_id_answered_at", "calls")
    op.drop_index("ix_calls_difficult_at", "calls")
    op.drop_index("ix_calls_ended_at", "calls")
    op.drop_table("outcome_corrections")
    op.drop_table("floor_note_readings")
    op.drop_table("floor_notes")
    op.drop_table("pause_reasons")
    op.execute("DROP TRIGGER operators_changes ON operators")
    op.execute("DROP FUNCTION note_operator_change()")
    op.drop_table("operator_changes")
    op.drop_column("operators", "leave_reason")
