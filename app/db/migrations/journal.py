"""Who applied what, when, and how long it took: the table migration_log, written in the transaction of each step."""

import socket
from dataclasses import dataclass
from datetime import datetime

from alembic.runtime.migration import MigrationContext
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, inspect, select
from sqlalchemy.schema import CreateTable

from app.db.base import utc_now
from app.db.migrations import revisions
from app.db.types import UtcDateTime
from app.errors import UserError

NAME = "migration_log"

# Not among the models: like alembic_version it belongs to the migrations, and autogenerate leaves it alone.
log = Table(
    NAME,
    MetaData(),
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("revision", String(32), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("applied_at", UtcDateTime, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("file_hash", String(64), nullable=False),
)


@dataclass(frozen=True)
class Entry:
    revision: str
    direction: str
    applied_at: datetime
    duration_ms: int
    host: str
    file_hash: str


def write(context: MigrationContext, *, revision: str, direction: str, seconds: float, file_hash: str) -> None:
    """Add a row. Offline, the SQL that adds it."""
    values = {
        "revision": revision,
        "direction": direction,
        "applied_at": utc_now(),
        "duration_ms": round(seconds * 1000),
        "host": socket.gethostname()[:255],
        "file_hash": file_hash,
    }
    context.execute(CreateTable(log, if_not_exists=True))
    context.execute(log.insert().values(values))


def read(connection: Connection) -> list[Entry]:
    """All rows, oldest first."""
    if not inspect(connection).has_table(NAME):
        return []
    columns = [log.c[name] for name in Entry.__dataclass_fields__]
    return [Entry(*row) for row in connection.execute(select(*columns).order_by(log.c.number))]


def last_upgrades(connection: Connection) -> dict[str, Entry]:
    """For each revision its newest entry, where that is an upgrade."""
    newest = {entry.revision: entry for entry in read(connection)}
    return {revision: entry for revision, entry in newest.items() if entry.direction == "upgrade"}


class BrokenState(UserError):
    """Something that needs a person."""

    exit_code = 9


def require_unedited_files(connection: Connection) -> None:
    """A squashed revision may have been applied as it is, or as the file that it replaces.

    Errors: BrokenState, where a revision's file is not what was applied.
    """
    entries = last_upgrades(connection)
    edited = [
        script.revision
        for script in revisions.history()
        if script.revision in entries
        and entries[script.revision].file_hash
        not in (*revisions.file_hashes(script), revisions.replaces(script).get(script.revision))
    ]
    if edited:
        raise BrokenState(
            f"{', '.join(edited)} was edited after it was applied: restore the file, and put the change into a new one"
        )


def require_valid_indexes(connection: Connection) -> None:
    """Errors: BrokenState, where an index was left unfinished: PostgreSQL keeps it up to date, and never uses it."""
    if connection.dialect.name != "postgresql":
        return
    broken = list(
        connection.exec_driver_sql("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid").scalars()
    )
    if broken:
        raise BrokenState(f"index {', '.join(broken)} is not valid: run REINDEX INDEX CONCURRENTLY on it, or drop it")
