"""Sound of Twilio's calls: whose recording a carrier holds, and what is said to answering machines."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("leg_ref", sa.String()))
    op.add_column("call_queues", sa.Column("voicemail_text", sa.String()))


def downgrade() -> None:
    op.drop_column("call_queues", "voicemail_text")
    op.drop_column("recordings", "leg_ref")
