"""channels: who may be reached how, what a provider approved, templates, images and videos"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OLD = "channel IN ('all', 'call', 'sms', 'whatsapp')"
NEW = "channel IN ('all', 'call', 'sms', 'whatsapp', 'telegram', 'email')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_consents_channel"), "consents", type_="check")
    op.create_check_constraint(op.f("ck_consents_channel"), "consents", NEW)
    _make_addresses()
    _make_rules()
    _make_templates()
    _make_enclosures()


def _make_addresses() -> None:
    op.create_table(
        "channel_addresses",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("contact_id", sa.BigInteger, sa.ForeignKey("contacts.id", ondelete="CASCADE")),
        sa.Column("name", sa.String, nullable=False, server_default=""),
        sa.Column("state", sa.String, nullable=False, server_default="active"),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("heard_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_channel_addresses_channel_address")),
        sa.CheckConstraint(
            "state IN ('active', 'unsubscribed', 'blocked', 'gone')", name=op.f("ck_channel_addresses_state")
        ),
    )
    op.create_index("ix_channel_addresses_contact_id", "channel_addresses", ["contact_id", "channel"])


def _make_rules() -> None:
    op.create_table(
        "channel_rules",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("is_on", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("use_case", sa.String, nullable=False, server_default=""),
        sa.Column("reference", sa.String, nullable=False, server_default=""),
        sa.Column("purposes", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("approved_on", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("daily_people", sa.Integer),
        sa.Column("off_reason", sa.String),
        sa.Column("changed_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_table(
        "channel_checks",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("checked_at", TIME, nullable=False),
        sa.Column("fault", sa.String),
        sa.Column("said", JSONB, nullable=False, server_default=sa.text("'{}'")),
    )


def _make_templates() -> None:
    op.create_table(
        "message_templates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("provider_ref", sa.String, nullable=False, unique=True),
        sa.Column("carrier", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("variables", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("buttons", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("media_url", sa.String),
        sa.Column("category", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("state_reason", sa.String),
        sa.Column("is_gone", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("synced_at", TIME, nullable=False),
    )
    op.create_table(
        "message_media",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("content_type", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("sha256", sa.String, nullable=False, unique=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", TIME, nullable=False),
    )


def _make_enclosures() -> None:
    op.create_table(
        "message_enclosures",
        sa.Column(
            "campaign_id", sa.Integer, sa.ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("wording", sa.String, primary_key=True),
        sa.Column("template_id", sa.Integer, sa.ForeignKey("message_templates.id")),
        sa.Column("variables", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("media_id", sa.Uuid, sa.ForeignKey("message_media.id")),
        sa.Column("title", sa.String, nullable=False, server_default=""),
    )
    op.create_table(
        "message_openings",
        sa.Column("message_id", sa.Uuid, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_message_openings_channel_at", "message_openings", ["channel", "at"])


def downgrade() -> None:
    for table in ("message_openings", "message_enclosures", "message_media", "message_templates", "channel_checks",
                  "channel_rules", "channel_addresses"):  # fmt: skip
        op.drop_table(table)
    op.execute("DELETE FROM consents WHERE channel IN ('telegram', 'email')")
    op.drop_constraint(op.f("ck_consents_channel"), "consents", type_="check")
    op.create_check_constraint(op.f("ck_consents_channel"), "consents", OLD)
