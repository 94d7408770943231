"""samples: numbering plans, waves, drawn cases and their replicates"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _plans()
    op.create_table(
        "survey_waves",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("opens_on", sa.Date, nullable=False),
        sa.Column("closes_on", sa.Date),
        sa.Column("break_reason", sa.String),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("survey_id", "code"),
        sa.CheckConstraint("closes_on IS NULL OR closes_on >= opens_on", name="days"),
    )
    _samples()
    op.add_column("interviews", sa.Column("wave", sa.String))
    op.add_column("interviews", sa.Column("stratum", sa.String))
    op.add_column("interviews", sa.Column("base_weight", sa.Double, nullable=False, server_default=sa.text("1")))
    op.add_column(
        "interviews", sa.Column("case_id", sa.BigInteger, sa.ForeignKey("sample_cases.id", ondelete="SET NULL"))
    )
    op.create_index("ix_interviews_case_id", "interviews", ["case_id"],
                    postgresql_where=sa.text("case_id IS NOT NULL"))  # fmt: skip


def _plans() -> None:
    op.create_table(
        "numbering_plans",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("file", sa.String),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("counts", postgresql.JSONB, nullable=False),
        sa.Column("faults", postgresql.JSONB, nullable=False),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('uploaded', 'ready', 'failed')", name="state"),
    )
    op.create_table(
        "numbering_ranges",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("plan_id", sa.Integer, sa.ForeignKey("numbering_plans.id", ondelete="CASCADE"), nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.CheckConstraint("last >= first", name="ends"),
    )
    op.create_index("ix_numbering_ranges_plan_id_first", "numbering_ranges", ["plan_id", "first"])


def _samples() -> None:
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("wave", sa.String),
        sa.Column("frame", sa.String, nullable=False),
        sa.Column("options", postgresql.JSONB, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("replicates", sa.Integer, nullable=False),
        sa.Column("released", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("seed", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("frame_size", sa.BigInteger),
        sa.Column("left_out", postgresql.JSONB, nullable=False),
        sa.Column("digest", sa.String),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("call_queues.id", ondelete="SET NULL")),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("drawn_at", TIME),
        sa.CheckConstraint("state IN ('drawing', 'drawn', 'failed')", name="state"),
        sa.CheckConstraint("released BETWEEN 0 AND replicates", name="released"),
    )
    op.create_index("ix_samples_survey_id", "samples", ["survey_id"])
    op.create_table(
        "sample_strata",
        sa.Column("sample_id", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("stratum", sa.String, primary_key=True),
        sa.Column("frame_size", sa.BigInteger, nullable=False),
        sa.Column("drawn", sa.Integer, nullable=False),
        sa.Column("base_weight", sa.Double, nullable=False),
    )
    op.create_table(
        "sample_cases",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("sample_id", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("stratum", sa.String, nullable=False),
        sa.Column("contact_id", sa.BigInteger, sa.ForeignKey("contacts.id", ondelete="SET NULL")),
        sa.Column("phone", sa.String),
        sa.UniqueConstraint("sample_id", "number"),
    )
    op.create_index("ix_sample_cases_sample_id_replicate", "sample_cases", ["sample_id", "replicate"])
    op.create_index("ix_sample_cases_contact_id", "sample_cases", ["contact_id"])
    op.create_table(
        "sample_releases",
        sa.Column("sample_id", sa.Integer, sa.ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("replicate", sa.Integer, primary_key=True),
        sa.Column("cases", sa.Integer, nullable=False),
        sa.Column("queued", sa.Integer, nullable=False),
        sa.Column("released_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("released_at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_index("ix_interviews_case_id", "interviews")
    for column in ("case_id", "base_weight", "stratum", "wave"):
        op.drop_column("interviews", column)
    for table in ("sample_releases", "sample_cases", "sample_strata", "samples", "survey_waves", "numbering_ranges",
                  "numbering_plans"):  # fmt: skip
        op.drop_table(table)
