"""studies"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

NOW = sa.DateTime(timezone=True)


def upgrade() -> None:
    _silence()
    _studies()
    _packages()


def _silence() -> None:
    op.create_table(
        "silence_releases",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", NOW, nullable=False),
        sa.Column("until", NOW, nullable=False),
    )
    op.create_index("ix_silence_releases_survey_id_user_id", "silence_releases", ["survey_id", "user_id"])


def _studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("survey_id", sa.Integer, sa.ForeignKey("surveys.id", ondelete="CASCADE"), nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("election_id", sa.Integer, sa.ForeignKey("elections.id", ondelete="SET NULL")),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("states", ARRAY(sa.Integer), nullable=False),
        sa.Column("record", JSONB, nullable=False),
        sa.Column("parties", JSONB, nullable=False),
        sa.Column("resources", JSONB, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("published_on", sa.Date),
        sa.Column("published_in", sa.String),
        sa.Column("published_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("published_package_id", sa.Integer),
        sa.Column("delivered_on", sa.Date),
        sa.Column("delivered_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("receipt", sa.String),
        sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("created_at", NOW, nullable=False),
        sa.Column("changed_at", NOW, nullable=False),
        sa.CheckConstraint("state IN ('draft', 'published', 'delivered')", name="state"),
        sa.CheckConstraint("scope IN ('federal', 'local', 'both')", name="scope"),
    )
    op.create_index("ix_studies_survey_id", "studies", ["survey_id"])
    op.create_table(
        "study_files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.Integer, sa.ForeignKey("studies.id", ondelete="CASCADE")),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("content_type", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("added_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("added_at", NOW, nullable=False),
    )
    op.create_index("ix_study_files_study_id", "study_files", ["study_id"])
    op.create_table(
        "firm_profiles",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("profile", JSONB, nullable=False),
        sa.Column("saved_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("saved_at", NOW, nullable=False),
    )


def _packages() -> None:
    op.create_table(
        "study_packages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.Integer, sa.ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("fault", sa.String),
        sa.Column("fingerprint", sa.String),
        sa.Column("as_of", NOW),
        sa.Column("figures", JSONB),
        sa.Column("missing", JSONB, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("sha256", sa.String),
        sa.Column("size", sa.Integer),
        sa.Column("asked_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("asked_at", NOW, nullable=False),
        sa.Column("lease_until", NOW),
        sa.Column("finished_at", NOW),
        sa.CheckConstraint("state IN ('asked', 'ready', 'failed', 'cancelled')", name="state"),
    )
    op.create_index("ix_study_packages_study_id", "study_packages", ["study_id"])
    op.create_table(
        "study_links",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("package_id", sa.Integer, sa.ForeignKey("study_packages.id", ondelete="CASCADE"), nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("expires_at", NOW, nullable=False),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("users.id")),
        sa.Column("made_at", NOW, nullable=False),
        sa.Column("ended_at", NOW),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("last_opened_at", NOW),
    )
    op.create_index("ix_study_links_package_id", "study_links", ["package_id"])


def downgrade() -> None:
    for table in ("study_links", "study_packages", "firm_profiles", "study_files", "studies", "silence_releases"):
        op.drop_table(table)
