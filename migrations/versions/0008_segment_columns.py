"""segments: changes told to copies, frozen lists, clicks"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TRANSACTION = "(pg_current_xact_id()::text::bigint)"
# table -> where the keys of its deleted rows are kept, and under which name
REMOVED = {"contacts": ("removed_people", "contact_id"), "attempts": ("removed_attempts", "attempt_id")}


def upgrade() -> None:
    op.add_column("attempts", sa.Column("change_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute(f"ALTER TABLE attempts ALTER change_id SET DEFAULT {TRANSACTION}")
    op.create_index("ix_attempts_change_id", "attempts", ["change_id"])
    op.execute(
        "CREATE TRIGGER attempts_change_id BEFORE UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION set_change_id()"
    )
    _removed("contacts", sa.BigInteger())
    _removed("attempts", sa.Uuid())
    _frozen()
    _clicks()


def downgrade() -> None:
    for table in ("message_clicks", "frozen_members", "frozen_segments"):
        op.drop_table(table)
    for table, (removed, _key) in REMOVED.items():
        op.execute(f"DROP TRIGGER {table}_removed ON {table}")
        op.execute(f"DROP FUNCTION keep_{removed}")
        op.drop_table(removed)
    op.execute("DROP TRIGGER attempts_change_id ON attempts")
    op.drop_column("attempts", "change_id")


def _removed(table: str, key_type: sa.types.TypeEngine[int] | sa.types.TypeEngine[UUID]) -> None:
    removed, key = REMOVED[table]
    op.create_table(
        removed,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(key, key_type, nullable=False),
        sa.Column("change_id", sa.BigInteger(), server_default=sa.text(TRANSACTION), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{removed}"),
    )
    op.create_index(f"ix_{removed}_change_id", removed, ["change_id"])
    keep = f"INSERT INTO {removed} ({key}) SELECT id FROM gone"  # noqa: S608  # names of the table above
    op.execute(
        f"CREATE FUNCTION keep_{removed}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {keep}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_removed AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone"
        f" FOR EACH STATEMENT EXECUTE FUNCTION keep_{removed}()"
    )


def _frozen() -> None:
    op.create_table(
        "frozen_segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("segment_id", sa.Integer()),
        sa.Column("segment_name", sa.String(), nullable=False),
        sa.Column("segment_version", sa.Integer(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.Integer()),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_frozen_segments"),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name="fk_frozen_segments_segment_id_segments", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["frozen_by"], ["users.id"], name="fk_frozen_segments_frozen_by_users"),
    )
    op.create_index("ix_frozen_segments_segment_id", "frozen_segments", ["segment_id"])
    op.create_table(
        "frozen_members",
        sa.Column("frozen_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("frozen_id", "contact_id", name="pk_frozen_members"),
    )


def _clicks() -> None:
    op.create_table(
        "message_clicks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message_clicks"),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name="fk_message_clicks_contact_id_contacts", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_message_clicks_message_id_messages", ondelete="CASCADE"
        ),
    )
    for column in ("contact_id", "message_id"):
        op.create_index(f"ix_message_clicks_{column}", "message_clicks", [column])
