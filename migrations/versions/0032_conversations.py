"""conversations, canned replies, and messages that people release one by one"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# One conversation a person; of whom nobody knows, one a phone. Whoever said BAJA is not waiting for an answer.
BEGIN = """
INSERT INTO conversations (contact_id, phone, channel, address, state, resolution, opened_at, waiting_since, last_at)
SELECT DISTINCT ON (contact_id, CASE WHEN contact_id IS NULL THEN phone END)
       contact_id, phone, channel, address, 'resolved', 'earlier', received_at, NULL, received_at
FROM inbound_messages WHERE contact_id IS NOT NULL OR phone LIKE '+%'
ORDER BY contact_id, CASE WHEN contact_id IS NULL THEN phone END, received_at DESC, id DESC
"""
BELONG = """
UPDATE inbound_messages m SET conversation_id = c.id FROM conversations c
WHERE m.contact_id = c.contact_id OR (m.contact_id IS NULL AND c.contact_id IS NULL AND m.phone = c.phone)
"""


def upgrade() -> None:
    op.add_column("message_campaigns", sa.Column("is_peer", sa.Boolean, nullable=False, server_default=sa.false()))
    _conversations()
    op.alter_column("inbound_messages", "phone", nullable=True)
    op.add_column("inbound_messages", sa.Column(
        "conversation_id", sa.BigInteger, sa.ForeignKey("conversations.id", ondelete="SET NULL")))  # fmt: skip
    op.create_index("ix_inbound_messages_conversation_id", "inbound_messages", ["conversation_id"])
    op.add_column("inbound_messages", sa.Column("sender", sa.String, nullable=False, server_default=""))
    op.create_index("ix_inbound_messages_channel_address", "inbound_messages", ["channel", "address", "received_at"])
    op.create_index("ix_inbound_messages_doubtful", "inbound_messages", ["conversation_id"],
                    postgresql_where=sa.text("is_doubtful"))  # fmt: skip
    op.execute(BEGIN)
    op.execute(BELONG)
    op.create_table(
        "conversation_campaigns",
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"),
                  primary_key=True),
        sa.Column("answers_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE")),
        sa.Column("channel", sa.String, nullable=False),
        sa.UniqueConstraint("answers_id", "channel", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    op.create_table(
        "canned_replies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("shortcut", sa.String, nullable=False, unique=True),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("changed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    _peer()


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("contact_id", sa.BigInteger, sa.ForeignKey("contacts.id", ondelete="CASCADE")),
        sa.Column("phone", sa.String),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("address", sa.String),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="SET NULL")),
        sa.Column("state", sa.String, nullable=False, server_default="open"),
        sa.Column("resolution", sa.String),
        sa.Column("assigned_to", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True)),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'resolved')", name="state"),
    )
    op.create_index("uq_conversations_contact_id", "conversations", ["contact_id"], unique=True,
                    postgresql_where=sa.text("contact_id IS NOT NULL"))  # fmt: skip
    op.create_index("uq_conversations_phone", "conversations", ["phone"], unique=True,
                    postgresql_where=sa.text("contact_id IS NULL AND phone IS NOT NULL"))  # fmt: skip
    op.create_index("uq_conversations_channel_address", "conversations", ["channel", "address"], unique=True,
                    postgresql_where=sa.text("contact_id IS NULL AND phone IS NULL"))  # fmt: skip
    op.create_index("ix_conversations_state_waiting_since", "conversations", ["state", "waiting_since", "id"])
    op.create_index("ix_conversations_last_at", "conversations", ["last_at", "id"])
    op.create_index("ix_conversations_assigned_to", "conversations", ["assigned_to"],
                    postgresql_where=sa.text("assigned_to IS NOT NULL"))  # fmt: skip


def _peer() -> None:
    op.create_table(
        "peer_batches",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"),
                  nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
    )  # fmt: skip
    op.create_index("uq_peer_batches_open_user_id", "peer_batches", ["user_id"], unique=True,
                    postgresql_where=sa.text("closed_at IS NULL"))  # fmt: skip
    op.create_index("ix_peer_batches_campaign_id", "peer_batches", ["campaign_id"])
    op.create_table(
        "peer_messages",
        sa.Column("message_id", sa.Uuid, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("batch_id", sa.BigInteger, sa.ForeignKey("peer_batches.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("result", sa.String),
    )
    op.create_index("ix_peer_messages_batch_id_position", "peer_messages", ["batch_id", "position"])


def downgrade() -> None:
    op.drop_table("peer_messages")
    op.drop_table("peer_batches")
    op.drop_table("canned_replies")
    op.drop_table("conversation_campaigns")
    op.drop_index("ix_inbound_messages_doubtful", "inbound_messages")
    op.drop_index("ix_inbound_messages_channel_address", "inbound_messages")
    op.drop_column("inbound_messages", "sender")
    op.drop_column("inbound_messages", "conversation_id")
    op.execute("DELETE FROM inbound_messages WHERE phone IS NULL")
    op.alter_column("inbound_messages", "phone", nullable=False)
    op.drop_table("conversations")
    op.drop_column("message_campaigns", "is_peer")
