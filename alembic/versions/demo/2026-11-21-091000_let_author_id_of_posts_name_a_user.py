"""let author id of posts name a user"""

import sqlalchemy as sa
from alembic import op

from app.db.migrations.operations import add_constraint_unvalidated

revision = "4d81c6e3b05a"
down_revision = "0c7e52b8f9d4"
branch_labels = None
depends_on = None

NAME = "fk_posts_author_id_users"

# Spelled out for SQLite, which makes the table anew: so it can be written as SQL without a database.
POSTS = sa.Table(
    "posts",
    sa.MetaData(),
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("body", sa.Text(), nullable=False),
    sa.Column("author", sa.String(200), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("likes", sa.Integer(), server_default="0", nullable=False),
    sa.Column("author_id", sa.Uuid(), nullable=True),
    sa.PrimaryKeyConstraint("id", name="pk_posts"),
    sa.Index("ix_posts_created_at", "created_at"),
)


def upgrade() -> None:
    add_constraint_unvalidated(NAME, "posts", "FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE SET NULL")
    if op.get_context().dialect.name == "sqlite":
        with op.batch_alter_table("posts", copy_from=POSTS) as posts:
            posts.create_foreign_key(NAME, "users", ["author_id"], ["id"], ondelete="SET NULL")


def downgrade() -> None:
    with op.batch_alter_table("posts") as posts:
        posts.drop_constraint(NAME, type_="foreignkey")
