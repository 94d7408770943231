"""direct import: numbers taken for new people; nothing to resume from; indexes that cost a list too much"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("import_batches", "resume")
    for column in ("first_id", "last_id"):
        op.add_column("import_batches", sa.Column(column, sa.BigInteger()))
    # Among many people callcenter.people.name_index builds one behind the imports.
    op.drop_index("ix_contacts_name_key_prefix", table_name="contacts")
    # The unique (contact_id, phone) begins with it.
    op.drop_index("ix_contact_phones_contact_id", table_name="contact_phones")


def downgrade() -> None:
    op.create_index("ix_contact_phones_contact_id", "contact_phones", ["contact_id"])
    op.execute(_DROP_NAMES)
    op.create_index(
        "ix_contacts_name_key_prefix", "contacts", ["name_key"], postgresql_ops={"name_key": "text_pattern_ops"}
    )
    for column in ("last_id", "first_id"):
        op.drop_column("import_batches", column)
    op.add_column("import_batches", sa.Column("resume", postgresql.JSONB(astext_type=sa.Text())))


_DROP_NAMES = """
    DO $$ DECLARE built text; BEGIN
        FOR built IN SELECT indexname FROM pg_indexes
            WHERE tablename = 'contacts' AND starts_with(indexname, 'ix_contacts_names_to_')
        LOOP EXECUTE 'DROP INDEX ' || built; END LOOP;
    END $$"""
