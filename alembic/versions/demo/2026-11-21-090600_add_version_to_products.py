"""add version to products"""

import sqlalchemy as sa
from alembic import op

revision = "e14b9d7c5a20"
down_revision = "7b1f4c02ea95"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The server default fills the rows that are there already.
    op.add_column("products", sa.Column("version", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("products") as products:
        products.drop_column("version")
