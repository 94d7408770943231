"""wider contacts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_attributes",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("created_by", sa.Integer(), sa.ForeignKey("users.id", name="fk_contact_attributes_created_by_users")),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_contact_attributes"),
        sa.CheckConstraint("kind IN ('text', 'number', 'date', 'yes_no', 'choice')", name="ck_contact_attributes_kind"),
    )
    for table in ("organizations", "promoters"):
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("name", sa.String(), nullable=False),
            sa.Column("name_key", sa.String(), nullable=False),
            sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
            sa.UniqueConstraint("name_key", name=f"uq_{table}_name_key"),
        )
    op.add_column("promoters", _reference("organization_id", "promoters", "organizations"))
    op.add_column("contacts", _reference("promoter_id", "contacts", "promoters"))
    op.add_column("contacts", _reference("organization_id", "contacts", "organizations"))
    for flag in ("is_member", "holds_post", "suppressed"):
        op.add_column("contacts", sa.Column(flag, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("contacts", sa.Column("change_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute("ALTER TABLE contacts ALTER change_id SET DEFAULT (pg_current_xact_id()::text::bigint)")
    op.execute("UPDATE contacts SET is_member = true WHERE attributes ->> 'member' = 'true'")
    op.execute("UPDATE contacts SET attributes = attributes - 'member' WHERE attributes ? 'member'")
    op.create_index("ix_contacts_change_id", "contacts", ["change_id"])
    op.execute(
        """
        CREATE FUNCTION set_change_id() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.change_id := pg_current_xact_id()::text::bigint; RETURN NEW; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER contacts_change_id BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION set_change_id()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER contacts_change_id ON contacts")
    op.execute("DROP FUNCTION set_change_id")
    for column in ("change_id", "suppressed", "holds_post", "is_member", "organization_id", "promoter_id"):
        op.drop_column("contacts", column)
    for table in ("promoters", "organizations", "contact_attributes"):
        op.drop_table(table)


def _reference(column: str, table: str, to: str) -> sa.Column[int]:
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{column}_{to}", ondelete="SET NULL")
    return sa.Column(column, sa.Integer(), key)
