"""calendar and gate"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


COUNTED = "outcome <> ALL ('{refused_by_gate,not_placed,excluded,cancelled,canceled}'::text[])"
TRIES = {
    "ix_attempts_counted_phone_at": (["phone", "at"], COUNTED),
    "ix_attempts_counted_contact_id_at": (["contact_id", "at"], COUNTED),
    "ix_attempts_open_phone": (["phone"], "closed_at IS NULL"),
    "ix_attempts_open_contact_id": (["contact_id"], "closed_at IS NULL"),
}


def upgrade() -> None:
    _elections()
    _house_rules()
    _signoffs()
    _register()
    for name, (columns, which) in TRIES.items():
        op.create_index(name, "attempts", columns, postgresql_where=sa.text(which))
    op.create_check_constraint(op.f("ck_consents_channel"), "consents", "channel IN ('all', 'call', 'sms', 'whatsapp')")
    op.create_index(
        "ix_consents_one_channel", "consents", ["contact_id", "channel"], postgresql_where=sa.text("channel <> 'all'")
    )


def _elections() -> None:
    op.create_table(
        "elections",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("states", sa.ARRAY(sa.Integer()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        _by("elections", "created_by"),
        _at("created_at"),
        sa.UniqueConstraint("name", name=op.f("uq_elections_name")),
    )
    # The calendar that stands becomes an election of its own; where its stretches share days, the later one has them,
    # as the gate had it until now.
    op.execute(
        """
        INSERT INTO elections (name, day)
        SELECT 'Elección', COALESCE(max(starts) FILTER (WHERE phase = 'election_day'), max(ends))
        FROM phases HAVING count(*) > 0
        """
    )
    op.execute(
        """
        UPDATE phases SET ends = LEAST(phases.ends, later.starts - 1)
        FROM (SELECT id, lead(starts) OVER (ORDER BY starts, id) AS starts FROM phases) AS later
        WHERE later.id = phases.id AND later.starts > phases.starts
        """
    )
    op.execute("DELETE FROM phases USING phases later WHERE later.starts = phases.starts AND later.id > phases.id")
    op.add_column("phases", sa.Column("election_id", sa.Integer()))
    op.execute("UPDATE phases SET election_id = (SELECT id FROM elections)")
    op.alter_column("phases", "election_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_phases_election_id"), "phases", "elections", ["election_id"], ["id"], ondelete="CASCADE"
    )
    op.execute(
        "ALTER TABLE phases ADD CONSTRAINT ex_phases_election_id_days EXCLUDE USING gist"
        " (int4range(election_id, election_id, '[]') WITH &&, daterange(starts, ends, '[]') WITH &&)"
    )


def _house_rules() -> None:
    op.create_table(
        "house_cells",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("rule", sa.String()),
        _by("house_cells", "made_by"),
        _at("made_at"),
    )
    op.create_index("ix_house_cells_purpose_phase", "house_cells", ["purpose", "phase", "id"])
    op.create_table(
        "house_settings",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _by("house_settings", "changed_by"),
        _at("changed_at"),
    )
    op.create_table(
        "holidays",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.Integer()),
        sa.Column("zone", sa.String()),
        _by("holidays", "added_by"),
        _at("added_at"),
        sa.UniqueConstraint(
            "day", "state", "zone", name=op.f("uq_holidays_day_state_zone"), postgresql_nulls_not_distinct=True
        ),
    )


def _signoffs() -> None:
    op.create_table(
        "legal_signoffs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column(
            "election_id", sa.Integer(),
            sa.ForeignKey("elections.id", name=op.f("fk_legal_signoffs_election_id"), ondelete="CASCADE"),
        ),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        _by("legal_signoffs", "recorded_by"),
        _at("recorded_at"),
        _by("legal_signoffs", "withdrawn_by"),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_legal_signoffs_days")),
    )  # fmt: skip


def _register() -> None:
    op.create_table(
        "do_not_call_lists",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("replaces", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("path", sa.String()),
        sa.Column("state", sa.String(), server_default="uploaded", nullable=False),
        sa.Column("rows_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("phones", sa.BigInteger()),
        sa.Column("refused", sa.BigInteger()),
        sa.Column("error", sa.String()),
        _by("do_not_call_lists", "uploaded_by"),
        _at("uploaded_at"),
        _at("touched_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state IN ('uploaded', 'running', 'done', 'failed', 'replaced')", name=op.f("ck_do_not_call_lists_state")
        ),
    )
    op.create_table(
        "do_not_call_phones",
        sa.Column("phone_hash", sa.LargeBinary(length=32), primary_key=True),
        sa.Column(
            "list_id", sa.Integer(),
            sa.ForeignKey("do_not_call_lists.id", name=op.f("fk_do_not_call_phones_list_id"), ondelete="CASCADE"),
            nullable=False,
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_do_not_call_phones_list_id"), "do_not_call_phones", ["list_id"])


def downgrade() -> None:
    for name in TRIES:
        op.drop_index(name, table_name="attempts")
    op.drop_index("ix_consents_one_channel", table_name="consents")
    op.drop_constraint(op.f("ck_consents_channel"), "consents", type_="check")
    for table in ("do_not_call_phones", "do_not_call_lists", "legal_signoffs", "holidays", "house_settings",
                  "house_cells"):  # fmt: skip
        op.drop_table(table)
    op.drop_constraint("ex_phases_election_id_days", "phases")
    op.drop_constraint(op.f("fk_phases_election_id"), "phases", type_="foreignkey")
    op.drop_column("phases", "election_id")
    op.drop_table("elections")


def _by(table: str, column: str) -> sa.Column[int]:
    return sa.Column(column, sa.Integer(), sa.ForeignKey("users.id", name=f"fk_{table}_{column}"))


def _at(column: str) -> sa.Column[object]:
    return sa.Column(column, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
