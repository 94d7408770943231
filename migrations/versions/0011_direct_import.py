"""direct import: what a list is not resumed from, and an index that another one begins with"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("import_batches", "resume")
    # The unique (contact_id, phone) begins with it.
    op.drop_index("ix_contact_phones_contact_id", table_name="contact_phones")


def downgrade() -> None:
    op.create_index("ix_contact_phones_contact_id", "contact_phones", ["contact_id"])
    op.add_column("import_batches", sa.Column("resume", postgresql.JSONB(astext_type=sa.Text())))
