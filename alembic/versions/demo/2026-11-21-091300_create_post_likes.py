"""create post likes"""

import sqlalchemy as sa
from alembic import op

revision = "58f2c0a4e7b1"
down_revision = "b93a6d1f470e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_likes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_post_likes_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_post_likes_user_id_users", ondelete="SET NULL"),
        sa.UniqueConstraint("post_id", "user_id", name="uq_post_likes_post_id_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_post_likes"),
    )
    op.create_index("ix_post_likes_user_id", "post_likes", ["user_id"])


def downgrade() -> None:
    op.drop_table("post_likes")
