"""For revisions: what must not stop the service, and what exists on one database only.

from app.db.migrations.operations import ensure_extension, index_concurrently, validate_constraint
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection, text
from sqlalchemy.sql.elements import quoted_name

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
    with _outside_of_transactions(connection):
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
    with _outside_of_transactions(op.get_bind()):
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


@contextmanager
def _outside_of_transactions(connection: Connection) -> Iterator[None]:
    with op.get_context().autocommit_block():
        # Alembic has just asked for the isolation level, and pg8000 began a transaction for that.
        if connection.dialect.driver == "pg8000" and not op.get_context().as_sql:
            connection.connection.rollback()
        yield


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
        literal = definition.replace(":", "\\:")  # op.execute takes ":name" for a parameter
        op.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {literal} NOT VALID')


def drop_constraint(name: str, table: str) -> None:
    """The way back from add_constraint_unvalidated."""
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(name, table)


def validate_constraint(name: str, table: str) -> None:
    """Check the old rows: readers and writers go on meanwhile."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{name}"')


def rename_table(old: str, new: str, *, constraints: Mapping[str, str], indexes: Mapping[str, str]) -> None:
    """With its constraints and indexes, whose names hold that of the table: old name -> new name."""
    op.rename_table(old, new)
    if op.get_context().dialect.name == "postgresql":
        for before, after in constraints.items():
            op.execute(f'ALTER TABLE "{new}" RENAME CONSTRAINT "{before}" TO "{after}"')
        for before, after in indexes.items():
            op.execute(f'ALTER INDEX "{before}" RENAME TO "{after}"')
    elif not op.get_context().as_sql:  # on paper there is no table to look at, and the names stay
        table = sa.Table(new, sa.MetaData(), autoload_with=op.get_bind())
        for constraint in table.constraints:
            constraint.name = constraints.get(str(constraint.name), constraint.name)
        for index in table.indexes:
            index.name = quoted_name(indexes.get(str(index.name), str(index.name)), None)
        with op.batch_alter_table(new, recreate="always", copy_from=table):
            pass


def _is_valid(connection: Connection, name: str) -> bool | None:
    found: bool | None = connection.scalar(text(VALID), {"name": name})
    return found
