"""only messages that a provider has named stand in the index of their names"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_messages_provider_ref", "messages")
    op.create_index(
        "ix_messages_provider_ref", "messages", ["provider_ref"], postgresql_where="provider_ref IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_messages_provider_ref", "messages")
    op.create_index("ix_messages_provider_ref", "messages", ["provider_ref"])
