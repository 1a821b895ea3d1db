"""validate author id of posts"""

from alembic import op

from app.db.migrations.operations import add_constraint_unvalidated, validate_constraint

revision = "9f27a0d5c3e8"
down_revision = "4d81c6e3b05a"
branch_labels = None
depends_on = None

NAME = "fk_posts_author_id_users"


def upgrade() -> None:
    validate_constraint(NAME, "posts")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(NAME, "posts")
        add_constraint_unvalidated(NAME, "posts", "FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE SET NULL")
