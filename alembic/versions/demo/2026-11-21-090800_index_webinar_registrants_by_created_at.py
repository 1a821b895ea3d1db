"""index webinar registrants by created_at"""

from app.db.migrations.operations import drop_index_concurrently, index_concurrently

revision = "5f9c38e1d7b4"
down_revision = "d41e07b8a6c2"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_webinar_registrants_created_at_id", "webinar_registrants"


def upgrade() -> None:
    index_concurrently(NAME, TABLE, ["created_at", "id"])


def downgrade() -> None:
    drop_index_concurrently(NAME, TABLE)
