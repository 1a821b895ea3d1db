"""Revisions for a copy of the project, written by tests."""

from pathlib import Path

REVISION = '''"""{message}"""

import time

import sqlalchemy as sa
from alembic import op

from app.db.migrations import operations

revision = "{revision}"
down_revision = "{down}"
branch_labels = None
depends_on = None
{extra}

def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def add_revision(
    checkout: Path, revision: str, down: str, upgrade: str, downgrade: str = "pass", extra: str = "", day: int = 1
) -> Path:
    path = checkout / f"alembic/versions/2030-01-{day:02}-000000_{revision}.py"
    path.write_text(
        REVISION.format(
            message=revision,
            revision=revision,
            down=down,
            upgrade=upgrade.replace("\n", "\n    "),
            downgrade=downgrade.replace("\n", "\n    "),
            extra=extra,
        )
    )
    return path
