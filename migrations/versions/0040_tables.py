"""responses: each interview bears the transaction that changed it, or its answers, last"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# Triggers and not code: what is analysed must see every change, whoever writes it.
INTERVIEW = """
CREATE FUNCTION mark_interview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER interviews_mark BEFORE INSERT OR UPDATE ON interviews FOR EACH ROW EXECUTE FUNCTION mark_interview();
"""
ANSWERS = """
CREATE FUNCTION mark_interviews_of_answers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE interviews SET changed = 0  -- the trigger of interviews writes the number
    WHERE id IN (SELECT interview_id FROM touched) AND changed <> pg_current_xact_id()::text::bigint;
    RETURN NULL;
END $$;
CREATE TRIGGER answers_mark_new AFTER INSERT ON answers
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION mark_interviews_of_answers();
CREATE TRIGGER answers_mark_changed AFTER UPDATE ON answers
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION mark_interviews_of_answers();
CREATE TRIGGER answers_mark_gone AFTER DELETE ON answers
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION mark_interviews_of_answers();
"""


def upgrade() -> None:
    op.add_column("interviews", sa.Column("changed", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_interviews_survey_id_changed", "interviews", ["survey_id", "changed"])
    op.execute(INTERVIEW)
    op.execute(ANSWERS)


def downgrade() -> None:
    for name in ("answers_mark_gone", "answers_mark_changed", "answers_mark_new"):
        op.execute(f"DROP TRIGGER {name} ON answers")
    op.execute("DROP TRIGGER interviews_mark ON interviews")
    op.execute("DROP FUNCTION mark_interviews_of_answers()")
    op.execute("DROP FUNCTION mark_interview()")
    op.drop_index("ix_interviews_survey_id_changed", "interviews")
    op.drop_column("interviews", "changed")
