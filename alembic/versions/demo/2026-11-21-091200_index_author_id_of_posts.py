"""index author id of posts"""

from app.db.migrations.operations import drop_index_concurrently, index_concurrently

revision = "b93a6d1f470e"
down_revision = "9f27a0d5c3e8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_concurrently("ix_posts_author_id", "posts", ["author_id"])


def downgrade() -> None:
    drop_index_concurrently("ix_posts_author_id", "posts")
