"""territory and structure"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _batches()
    _sections()
    _areas()
    _counts_and_results()
    _merged_promoters()
    _pledges()
    _posts()


def downgrade() -> None:
    for table in ("post_holders", "posts", "pledges", "election_results", "past_elections", "nominal_counts",
                  "districts", "municipalities"):  # fmt: skip
        op.drop_table(table)
    op.execute("UPDATE contacts SET section_id = NULL WHERE section_id IN (SELECT id FROM sections WHERE kind IS NULL)")
    op.execute("DELETE FROM sections WHERE kind IS NULL")
    op.execute(
        "UPDATE sections SET nominal_list = COALESCE(nominal_list, 0), men = COALESCE(men, 0),"
        " women = COALESCE(women, 0)"
    )
    for column in ("kind", "nominal_list", "men", "women"):
        op.alter_column("sections", column, nullable=False)
    for column in ("moved", "merged_into"):
        op.drop_column("promoters", column)
    for column in ("closed_by", "batch_id", "inegi_code", "local_district", "federal_district"):
        op.drop_column("sections", column)
    op.drop_table("territory_batches")


def _batches() -> None:
    op.create_table(
        "territory_batches",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("layout", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("options", JSONB, nullable=False),
        sa.Column("preview", JSONB),
        sa.Column("counts", JSONB, nullable=False),
        sa.Column("faults", JSONB, nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("error", sa.String()),
        _reference("created_by", "territory_batches", "users", None),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("lease_until", TIME),
        sa.CheckConstraint(
            "state IN ('uploaded', 'ready', 'running', 'done', 'failed', 'undone')", name="ck_territory_batches_state"
        ),
    )


def _sections() -> None:
    for column in ("kind", "nominal_list", "men", "women"):
        op.alter_column("sections", column, nullable=True)
    for column in ("federal_district", "local_district", "inegi_code"):
        op.add_column("sections", sa.Column(column, sa.Integer()))
    for column in ("batch_id", "closed_by"):
        op.add_column("sections", _reference(column, "sections", "territory_batches", "SET NULL"))


def _areas() -> None:
    op.create_table(
        "municipalities",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("ine_code", sa.Integer(), nullable=False),
        sa.Column("inegi_code", sa.Integer()),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("geometry", JSONB),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        _reference("batch_id", "municipalities", "territory_batches", "SET NULL"),
        sa.UniqueConstraint("state", "ine_code", "valid_from", name="uq_municipalities_state_ine_code_valid_from"),
    )
    op.create_table(
        "districts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("geometry", JSONB),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        _reference("batch_id", "districts", "territory_batches", "SET NULL"),
        sa.CheckConstraint("kind IN ('federal', 'local')", name="ck_districts_kind"),
        sa.UniqueConstraint("kind", "state", "number", "valid_from", name="uq_districts_kind_state_number_valid_from"),
    )


def _counts_and_results() -> None:
    op.create_table(
        "nominal_counts",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_place("nominal_counts"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("men", sa.Integer()),
        sa.Column("women", sa.Integer()),
        sa.Column("non_binary", sa.Integer()),
        _reference("batch_id", "nominal_counts", "territory_batches", "CASCADE"),
        sa.UniqueConstraint("state", "section_number", "as_of", name="uq_nominal_counts_state_section_number_as_of"),
    )
    op.create_table(
        "past_elections",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("name", "held_on", name="uq_past_elections_name_held_on"),
    )
    op.create_table(
        "election_results",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("election_id", "election_results", "past_elections", "CASCADE", nullable=False),
        *_place("election_results"),
        sa.Column("station", sa.String(), nullable=False),
        sa.Column("nominal_list", sa.Integer()),
        sa.Column("votes", JSONB, nullable=False),
        sa.Column("nulls", sa.Integer()),
        sa.Column("unregistered", sa.Integer()),
        sa.Column("total", sa.Integer()),
        sa.Column("remarks", sa.String()),
        _reference("batch_id", "election_results", "territory_batches", "CASCADE"),
        sa.UniqueConstraint(
            "election_id",
            "state",
            "section_number",
            "station",
            name="uq_election_results_election_id_state_section_number_station",
        ),
    )
    for table in ("nominal_counts", "election_results"):
        op.create_index(f"ix_{table}_section_id", table, ["section_id"])
        op.create_index(f"ix_{table}_batch_id", table, ["batch_id"])


def _merged_promoters() -> None:
    op.add_column("promoters", _reference("merged_into", "promoters", "promoters", "SET NULL"))
    op.add_column("promoters", sa.Column("moved", JSONB))


def _pledges() -> None:
    op.create_table(
        "pledges",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        _reference("contact_id", "pledges", "contacts", "CASCADE", nullable=False, kind=sa.BigInteger()),
        _reference("promoter_id", "pledges", "promoters", "SET NULL"),
        _reference("organization_id", "pledges", "organizations", "SET NULL"),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("form_id", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date()),
        sa.Column("proof", sa.String()),
        sa.Column("state", sa.String(), server_default="pending", nullable=False),
        sa.Column("verified_at", TIME),
        _reference("call_id", "pledges", "attempts", "SET NULL", kind=sa.Uuid()),
        _reference("captured_by", "pledges", "users", None),
        sa.Column("captured_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        _reference("import_id", "pledges", "import_batches", None),
        sa.CheckConstraint("state IN ('pending', 'confirmed', 'denied', 'unreachable')", name="ck_pledges_state"),
        sa.UniqueConstraint("series", "form_id", name="uq_pledges_series_form_id"),
    )
    for column in ("contact_id", "promoter_id", "organization_id", "import_id"):
        op.create_index(f"ix_pledges_{column}", "pledges", [column])


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("parent_id", "posts", "posts", "SET NULL"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.Integer()),
        sa.Column("municipality_code", sa.Integer()),
        sa.Column("section_number", sa.Integer()),
        sa.Column("station", sa.String()),
        _reference("organization_id", "posts", "organizations", "SET NULL"),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
    )
    op.create_index("ix_posts_parent_id", "posts", ["parent_id"])
    op.create_table(
        "post_holders",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("post_id", "post_holders", "posts", "CASCADE", nullable=False),
        _reference("contact_id", "post_holders", "contacts", "CASCADE", nullable=False, kind=sa.BigInteger()),
        sa.Column("held_from", sa.Date(), nullable=False),
        sa.Column("held_to", sa.Date()),
        sa.CheckConstraint("held_to IS NULL OR held_to >= held_from", name="ck_post_holders_order"),
    )
    op.create_index("ix_post_holders_contact_id", "post_holders", ["contact_id"])
    op.create_index(
        "uq_post_holders_current", "post_holders", ["post_id"], unique=True, postgresql_where=sa.text("held_to IS NULL")
    )


def _place(table: str) -> tuple[sa.Column[int], ...]:
    """The section as the file names it, and the section that this was on the day it speaks of."""
    return (
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("section_number", sa.Integer(), nullable=False),
        _reference("section_id", table, "sections", "SET NULL"),
    )


def _reference(
    column: str, table: str, to: str, ondelete: str | None, *, nullable: bool = True, kind: Any = None
) -> sa.Column[int]:
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{column}", ondelete=ondelete)
    return sa.Column(column, kind or sa.Integer(), key, nullable=nullable)
