"""add likes to posts"""

import sqlalchemy as sa
from alembic import op

revision = "7b1f4c02ea95"
down_revision = "a5e3916cd8f0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The server default fills the rows that are there already.
    op.add_column("posts", sa.Column("likes", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("posts") as posts:
        posts.drop_column("likes")
