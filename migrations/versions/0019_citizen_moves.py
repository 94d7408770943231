"""where a citizen is to be moved, and whose room they have not left yet"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("wanted_room", sa.String))
    op.add_column("calls", sa.Column("wanted_at", sa.DateTime(timezone=True)))
    op.add_column("calls", sa.Column("leaves_room", sa.Integer, sa.ForeignKey("operators.id")))
    op.create_index("ix_calls_wanted_room", "calls", ["wanted_at"], postgresql_where=sa.text("wanted_room IS NOT NULL"))
    op.create_index(
        "ix_calls_leaves_room", "calls", ["leaves_room"], postgresql_where=sa.text("leaves_room IS NOT NULL")
    )
    op.create_index("ix_call_legs_asked_by", "call_legs", ["asked_by"], postgresql_where=sa.text("ended_at IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_call_legs_asked_by", "call_legs")
    op.drop_index("ix_calls_leaves_room", "calls")
    op.drop_index("ix_calls_wanted_room", "calls")
    op.drop_column("calls", "leaves_room")
    op.drop_column("calls", "wanted_at")
    op.drop_column("calls", "wanted_room")
