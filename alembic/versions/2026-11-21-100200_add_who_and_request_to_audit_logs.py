"""add who and request to audit logs"""

import sqlalchemy as sa
from alembic import op

revision = "3d61f8e2a05b"
down_revision = "f04a9d3b7c82"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_logs", sa.Column("actor", sa.String(320), nullable=True))
    op.add_column("audit_logs", sa.Column("request_id", sa.String(64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("audit_logs") as audit_logs:
        audit_logs.drop_column("request_id")
        audit_logs.drop_column("actor")
