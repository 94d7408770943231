"""senders, and who of a campaign is written to when"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
MESSAGE_COLUMNS = ("unit_price", "provider_parts", "released_by", "is_held", "sender_id", "wording", "wave", "turn",
                   "address")  # fmt: skip


def upgrade() -> None:
    _make_senders()
    op.add_column("message_campaigns", sa.Column("urgency", sa.String, nullable=False, server_default="bulk"))
    op.add_column("message_campaigns", sa.Column("pool_id", sa.Integer))
    op.create_foreign_key(
        op.f("fk_message_campaigns_pool_id"), "message_campaigns", "sender_pools", ["pool_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_message_campaigns_urgency"), "message_campaigns", "urgency IN ('urgent', 'bulk')"
    )
    _widen_messages()


def _make_senders() -> None:
    op.create_table(
        "senders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("carrier", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False, server_default=""),
        sa.Column("parts_per_second", sa.Float, nullable=False),
        sa.Column("daily_people", sa.Integer),
        sa.Column("state", sa.String, nullable=False, server_default="active"),
        sa.Column("state_reason", sa.String),
        sa.Column("quality", sa.String),
        sa.Column("is_alphanumeric", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("free_at", TIME),
        sa.Column("setbacks", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("channel", "address", "carrier", name=op.f("uq_senders_channel_address_carrier")),
        sa.CheckConstraint("state IN ('active', 'paused', 'blocked')", name=op.f("ck_senders_state")),
        sa.CheckConstraint("parts_per_second > 0", name=op.f("ck_senders_parts_per_second")),
    )
    op.create_table(
        "sender_pools",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False, unique=True),
    )
    op.create_table(
        "sender_pool_members",
        sa.Column("pool_id", sa.Integer, sa.ForeignKey("sender_pools.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sender_id", sa.Integer, sa.ForeignKey("senders.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_table(
        "sticky_senders",
        sa.Column("contact_id", sa.BigInteger, sa.ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sender_id", sa.Integer, sa.ForeignKey("senders.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("last_at", TIME, nullable=False),
    )
    op.create_index("ix_sticky_senders_sender_id_last_at", "sticky_senders", ["sender_id", "last_at"])


def _widen_messages() -> None:
    op.add_column("messages", sa.Column("address", sa.String))
    op.add_column("messages", sa.Column("turn", sa.Integer, nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("wave", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("wording", sa.String, nullable=False, server_default="A"))
    op.add_column("messages", sa.Column("sender_id", sa.Integer))
    op.add_column("messages", sa.Column("is_held", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("messages", sa.Column("released_by", sa.Integer))
    op.add_column("messages", sa.Column("provider_parts", sa.Integer))
    op.add_column("messages", sa.Column("unit_price", sa.Numeric(10, 5)))
    op.create_foreign_key(op.f("fk_messages_sender_id"), "messages", "senders", ["sender_id"], ["id"])
    op.create_foreign_key(op.f("fk_messages_released_by"), "messages", "users", ["released_by"], ["id"])
    op.alter_column("messages", "phone", nullable=True)
    op.drop_constraint(op.f("uq_messages_campaign_id_contact_id"), "messages")
    op.create_unique_constraint(
        op.f("uq_messages_contact_id_campaign_id_turn"), "messages", ["contact_id", "campaign_id", "turn"]
    )
    op.drop_index("ix_messages_contact_id", "messages")
    op.drop_index("uq_messages_campaign_id_phone", "messages")
    op.create_index(
        "uq_messages_campaign_id_reached_turn", "messages", ["campaign_id", sa.text("COALESCE(address, phone)"), "turn"],
        unique=True, postgresql_where=sa.text("state <> 'excluded'"),
    )  # fmt: skip
    op.create_index("ix_messages_ready", "messages", ["campaign_id", "not_before", "id"],
                    postgresql_where=sa.text("state = 'planned' AND NOT is_held"))  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_messages_ready", "messages")
    op.drop_index("uq_messages_campaign_id_reached_turn", "messages")
    op.execute("DELETE FROM messages WHERE turn <> 0 OR phone IS NULL")  # earlier code writes to a person once
    op.create_index("uq_messages_campaign_id_phone", "messages", ["campaign_id", "phone"], unique=True,
                    postgresql_where=sa.text("state <> 'excluded'"))  # fmt: skip
    op.create_index("ix_messages_contact_id", "messages", ["contact_id"])
    op.drop_constraint(op.f("uq_messages_contact_id_campaign_id_turn"), "messages")
    op.create_unique_constraint(op.f("uq_messages_campaign_id_contact_id"), "messages", ["campaign_id", "contact_id"])
    op.alter_column("messages", "phone", nullable=False)
    for column in MESSAGE_COLUMNS:
        op.drop_column("messages", column)
    op.drop_constraint(op.f("ck_message_campaigns_urgency"), "message_campaigns")
    op.drop_column("message_campaigns", "pool_id")
    op.drop_column("message_campaigns", "urgency")
    for table in ("sticky_senders", "sender_pool_members", "sender_pools", "senders"):
        op.drop_table(table)
