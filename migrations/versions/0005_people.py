"""people"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.create_table(
        "contact_merges",
        _big_id(),
        _big("kept_id"),
        _big("removed_id"),
        sa.Column("rule", sa.String(), nullable=False),
        *(sa.Column(name, JSONB, nullable=False) for name in ("removed", "kept_before", "kept_after", "moved")),
        _user("merged_by", "contact_merges"),
        _time("at", nullable=False),
        _user("undone_by", "contact_merges"),
        _time("undone_at"),
        _person("kept_id", "contact_merges"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_merges"),
    )
    op.create_index("ix_contact_merges_kept_id", "contact_merges", ["kept_id"])
    op.create_index(
        "uq_contact_merges_removed", "contact_merges", ["removed_id"], unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "contact_aliases",
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        _big("contact_id"),
        _person("contact_id", "contact_aliases"),
        sa.PrimaryKeyConstraint("phone", "name_key", name="pk_contact_aliases"),
    )
    op.create_index("ix_contact_aliases_contact_id", "contact_aliases", ["contact_id"])
    _create_duplicates()
    _create_notes()


def _create_duplicates() -> None:
    op.create_table(
        "duplicate_pairs",
        _big_id(),
        _big("first_id"),
        _big("second_id"),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _user("decided_by", "duplicate_pairs"),
        _time("decided_at"),
        _person("first_id", "duplicate_pairs"),
        _person("second_id", "duplicate_pairs"),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_pairs"),
        sa.UniqueConstraint("first_id", "second_id", name="uq_duplicate_pairs_first_id_second_id"),
        sa.CheckConstraint("first_id < second_id", name="ck_duplicate_pairs_order"),
        sa.CheckConstraint("state IN ('open', 'distinct')", name="ck_duplicate_pairs_state"),
    )
    op.create_index("ix_duplicate_pairs_second_id", "duplicate_pairs", ["second_id"])
    op.create_index(
        "ix_duplicate_pairs_open", "duplicate_pairs", ["certain", "id"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "duplicate_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        *(_big(name) for name in ("since", "until", "phones_since", "phones_until")),
        sa.Column("total", sa.Integer()),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        _big("last_pair"),
        _user("started_by", "duplicate_runs"),
        _time("started_at", nullable=False),
        _time("lease_until"),
        _time("finished_at"),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_runs"),
        sa.CheckConstraint("kind IN ('search', 'merge')", name="ck_duplicate_runs_kind"),
    )
    op.create_index(
        "uq_duplicate_runs_running", "duplicate_runs", ["kind"], unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )  # fmt: skip


def _create_notes() -> None:
    op.create_table(
        "contact_notes",
        _big_id(),
        _big("contact_id"),
        sa.Column("call_id", sa.Uuid()),
        sa.Column("text", sa.String()),
        sa.Column("hits", JSONB, nullable=False),
        sa.Column("review", sa.String(), nullable=False),
        _user("written_by", "contact_notes"),
        _time("at", nullable=False),
        _user("reviewed_by", "contact_notes"),
        _time("reviewed_at"),
        _person("contact_id", "contact_notes"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_contact_notes_call_id_calls", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_notes"),
        sa.UniqueConstraint("call_id", name="uq_contact_notes_call_id"),
        sa.CheckConstraint("(text IS NULL) = (call_id IS NOT NULL)", name="ck_contact_notes_one_text"),
        sa.CheckConstraint("review IN ('none', 'open', 'kept')", name="ck_contact_notes_review"),
    )
    op.create_index("ix_contact_notes_contact_id", "contact_notes", ["contact_id"])
    op.create_index("ix_contact_notes_open", "contact_notes", ["id"], postgresql_where=sa.text("review = 'open'"))
    op.create_table(
        "note_filters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("words", JSONB, nullable=False),
        _user("changed_by", "note_filters"),
        _time("changed_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_note_filters"),
    )


def downgrade() -> None:
    for table in ("note_filters", "contact_notes", "duplicate_runs", "duplicate_pairs", "contact_aliases",
                  "contact_merges"):  # fmt: skip
        op.drop_table(table)


def _big_id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _user(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey("users.id", name=f"fk_{table}_{name}_users"))


def _person(name: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], ["contacts.id"], name=f"fk_{table}_{name}_contacts", ondelete="CASCADE")
