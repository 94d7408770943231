"""survey links: a person's own way to a survey; where and by whom each answer was given"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey_links",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("contact_id", sa.BigInteger, sa.ForeignKey("contacts.id", ondelete="SET NULL")),
        sa.Column("interview_id", sa.Uuid, sa.ForeignKey("interviews.id", ondelete="SET NULL")),
        sa.Column("wave", sa.String),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("on_behalf_of", sa.String, nullable=False, server_default=""),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True)),
        sa.Column("opted_out_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "survey_id",
            "contact_id",
            "wave",
            name=op.f("uq_survey_links_survey_id_contact_id_wave"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("interview_id", name=op.f("uq_survey_links_interview_id")),
    )
    op.create_index("ix_survey_links_contact_id", "survey_links", ["contact_id"])
    op.create_index(
        "ix_interviews_open", "interviews", ["started_at"], postgresql_where=sa.text("ended_at IS NULL")
    )  # fmt: skip
    op.create_table(
        "survey_chats",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "conversation_id", sa.BigInteger, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("link_id", sa.BigInteger, sa.ForeignKey("survey_links.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.String, nullable=False, server_default="asking"),
        sa.Column("item", sa.String),
        sa.Column("misses", sa.Integer, nullable=False, server_default="0"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('asking', 'done', 'left', 'ended')", name=op.f("ck_survey_chats_state")),
    )
    op.create_index(
        "uq_survey_chats_asking", "survey_chats", ["conversation_id"], unique=True,
        postgresql_where=sa.text("state = 'asking'"),
    )  # fmt: skip
    op.add_column("answers", sa.Column("face", sa.String))
    op.add_column("answers", sa.Column("interviewer_id", sa.Integer, sa.ForeignKey("users.id")))
    op.add_column("message_campaigns", sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id")))


def downgrade() -> None:
    op.drop_column("message_campaigns", "survey_id")
    op.drop_column("answers", "interviewer_id")
    op.drop_column("answers", "face")
    op.drop_index("ix_interviews_open", "interviews")
    op.drop_table("survey_chats")
    op.drop_table("survey_links")
