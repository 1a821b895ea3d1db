"""create webinar registrants"""

import sqlalchemy as sa
from alembic import op

revision = "48d0b7e5f163"
down_revision = "c2f8a6b91d37"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webinar_registrants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("company", sa.String(200), nullable=True),
        sa.Column("webinar_title", sa.String(200), nullable=False),
        sa.Column("webinar_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registration_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("assigned_sales_rep", sa.String(200), nullable=True),
        sa.Column("group", sa.String(50), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("photo_url", sa.String(500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "email",
            "webinar_title",
            "webinar_date",
            name="uq_webinar_registrants_email_webinar_title_webinar_date",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webinar_registrants"),
    )


def downgrade() -> None:
    op.drop_table("webinar_registrants")
