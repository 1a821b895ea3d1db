"""index audit logs by record"""

from app.db.migrations.operations import drop_index_concurrently, index_concurrently

revision = "a8c15f70d9e3"
down_revision = "3d61f8e2a05b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The history of one row.
    index_concurrently("ix_audit_logs_model_name_record_id", "audit_logs", ["model_name", "record_id"])


def downgrade() -> None:
    drop_index_concurrently("ix_audit_logs_model_name_record_id", "audit_logs")
