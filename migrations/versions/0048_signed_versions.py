"""recipes of weights are versions like those of the vote: the same rules under the same names"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None
RENAMED = (("signature", "signed"), ("second_person", "two_people"))


def upgrade() -> None:
    for old, new in RENAMED:
        op.execute(f"ALTER TABLE weight_recipes RENAME CONSTRAINT ck_weight_recipes_{old} TO ck_weight_recipes_{new}")
    op.alter_column("weight_recipes", "made_by", nullable=False)


def downgrade() -> None:
    op.alter_column("weight_recipes", "made_by", nullable=True)
    for old, new in RENAMED:
        op.execute(f"ALTER TABLE weight_recipes RENAME CONSTRAINT ck_weight_recipes_{new} TO ck_weight_recipes_{old}")
