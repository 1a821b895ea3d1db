"""add is_verified to users"""

import sqlalchemy as sa
from alembic import op

revision = "f04a9d3b7c82"
down_revision = "b27e05d9c614"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("is_verified", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_column("is_verified")
