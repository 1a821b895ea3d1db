"""add author id to posts"""

import sqlalchemy as sa
from alembic import op

revision = "0c7e52b8f9d4"
down_revision = "5f9c38e1d7b4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("author_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("posts") as posts:
        posts.drop_column("author_id")
