"""For revisions: what must not stop the service, and what exists on one database only.

from app.db.migrations.operations import ensure_extension, index_concurrently, validate_constraint
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import Connection, text

from app.errors import UserError

VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"


class InvalidIndex(UserError):
    """An index could not be finished, twice."""

    exit_code = 9


def index_concurrently(name: str, table: str, columns: Sequence[str], *, unique: bool = False) -> None:
    """Make an index without stopping writers. What an earlier, killed attempt left behind is made anew.

    Outside of any transaction, so it is the only step of its revision. On SQLite a plain index.
    Errors: InvalidIndex, for example where rows are not unique; the revision is then not applied.
    """
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        op.create_index(name, table, list(columns), unique=unique, if_not_exists=True)
        return
    offline = op.get_context().as_sql  # nothing to ask: the SQL makes it anew
    with op.get_context().autocommit_block():
        if not offline and _is_valid(connection, name) is True:
            return
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        op.create_index(name, table, list(columns), unique=unique, postgresql_concurrently=True)
        if not offline and not _is_valid(connection, name):
            raise InvalidIndex(f"index {name} is not valid: drop it, find out why, and run the upgrade again")


def drop_index_concurrently(name: str, table: str) -> None:
    """The way back from index_concurrently."""
    if op.get_bind().dialect.name != "postgresql":
        op.drop_index(name, table, if_exists=True)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def ensure_extension(name: str) -> None:
    """CREATE EXTENSION where there is such a thing; nothing on SQLite. Needs the right to make it."""
    if op.get_context().dialect.name == "postgresql":
        quoted = op.get_context().dialect.identifier_preparer.quote(name)
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {quoted}")


def add_constraint_unvalidated(name: str, table: str, definition: str) -> None:
    """Add CHECK (…) or FOREIGN KEY (…) REFERENCES … for new rows only: quick, whatever the table's size.

    Follow it with validate_constraint in a revision of its own. On SQLite write a batch operation instead.
    """
    if op.get_context().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition} NOT VALID')


def validate_constraint(name: str, table: str) -> None:
    """Check the old rows: readers and writers go on meanwhile."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{name}"')


def _is_valid(connection: Connection, name: str) -> bool | None:
    found: bool | None = connection.scalar(text(VALID), {"name": name})
    return found
