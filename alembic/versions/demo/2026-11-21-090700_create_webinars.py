"""create webinars"""

import sqlalchemy as sa
from alembic import op

revision = "d41e07b8a6c2"
down_revision = "e14b9d7c5a20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webinars",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("starts_at", "title", name="uq_webinars_starts_at_title"),
        sa.PrimaryKeyConstraint("id", name="pk_webinars"),
    )


def downgrade() -> None:
    op.drop_table("webinars")
