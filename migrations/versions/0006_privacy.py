"""privacy"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_cases()
    _create_exports()
    _create_retention()
    op.create_table(
        "suppression_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("accepted_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppression_keys"),
    )
    op.create_table(
        "public_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("made_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_public_requests"),
    )


def _create_cases() -> None:
    op.create_table(
        "arco_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("contact_id", sa.BigInteger()),
        sa.Column("asker", sa.String()),
        sa.Column("is_representative", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("answer_to", sa.String()),
        sa.Column("phone", sa.String()),
        sa.Column("text", sa.String()),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("documents", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("extended_at", TIME),
        sa.Column("closed_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_arco_requests"),
        sa.UniqueConstraint("reference", name="uq_arco_requests_reference"),
        _to("arco_requests", "contact_id", "contacts", "SET NULL"),
        sa.CheckConstraint(
            "kind IN ('access', 'rectification', 'cancellation', 'opposition')", name="ck_arco_requests_kind"
        ),
    )
    op.create_index("ix_arco_requests_contact_id", "arco_requests", ["contact_id"])
    op.create_table(
        "arco_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("note", sa.String()),
        sa.Column("user_id", sa.Integer()),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_arco_steps"),
        _to("arco_steps", "request_id", "arco_requests", "CASCADE"),
        _to("arco_steps", "user_id", "users"),
    )
    op.create_index("ix_arco_steps_request_id", "arco_steps", ["request_id"])


def _create_exports() -> None:
    op.create_table(
        "person_exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Integer()),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("made_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", TIME),
        sa.Column("taken_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_person_exports"),
        _to("person_exports", "contact_id", "contacts", "CASCADE"),
        _to("person_exports", "request_id", "arco_requests", "SET NULL"),
        _to("person_exports", "made_by", "users"),
    )
    op.create_index("ix_person_exports_contact_id", "person_exports", ["contact_id"])


def _create_retention() -> None:
    op.create_table(
        "retention_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("days", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("results_final_on", sa.Date()),
        sa.Column("confirmed_at", TIME),
        sa.Column("confirmed_by", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_retention_policy"),
        _to("retention_policy", "confirmed_by", "users"),
    )
    op.create_table(
        "retention_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", name="pk_retention_counts"),
    )


def _to(table: str, column: str, other: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=on_delete)


def downgrade() -> None:
    for table in ("public_requests", "suppression_keys", "retention_counts", "retention_policy", "person_exports",
                  "arco_steps", "arco_requests"):  # fmt: skip
        op.drop_table(table)
