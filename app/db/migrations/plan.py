"""What the pending revisions would do, seen on a throwaway PostgreSQL and not guessed."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from alembic import command
from alembic.config import Config
from alembic.script import Script
from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.exc import SQLAlchemyError

from app.db.migrations import environment, losses, revisions, rows, throwaway
from app.db.migrations.deploy import Patience
from app.settings import ROOT, Settings

TABLES = "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
LOCKS = """
    SELECT relname, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE pid = pg_backend_pid() AND relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1, 2
"""
SCANS = "SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0"
HOLDERS = """
    SELECT relname, a.pid, coalesce(a.usename, ''), coalesce(extract(epoch FROM now() - a.xact_start), 0)::int
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.pid <> pg_backend_pid()
"""
# What a reader or a writer waits behind. https://www.postgresql.org/docs/current/explicit-locking.html
STOPS = {
    "AccessExclusiveLock": "stops readers and writers",
    "ExclusiveLock": "stops writers",
    "ShareRowExclusiveLock": "stops writers",
    "ShareLock": "stops writers",
}


@dataclass(frozen=True)
class Effects:
    """On tables that were there before."""

    locks: dict[str, set[str]] = field(default_factory=dict)  # table -> modes
    rewritten: set[str] = field(default_factory=set)
    scanned: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)  # over tables that hold rows


@dataclass(frozen=True)
class Planned:
    revision: str
    message: str
    is_contract: bool
    sql: str
    effects: Effects
    goes_back: bool


@dataclass(frozen=True)
class Busy:
    """A table of the real database."""

    rows: int
    holders: list[str]


def plan(settings: Settings, waiting: list[Script]) -> list[Planned]:
    """Each pending revision, tried in order."""
    if not waiting:
        return []
    with throwaway.databases() as make:
        tried = make("postgresql")
        throwaway.migrate_before(tried, waiting[0])
        steps: list[Planned] = []
        for script in waiting:
            steps.append(_planned(settings, tried, script))
            if steps[-1].effects.failures:
                break  # what follows builds on it
        return steps


def _planned(settings: Settings, tried: Settings, script: Script) -> Planned:
    environment.in_transaction(tried, _fill)
    return Planned(
        revision=script.revision,
        message=script.doc,
        is_contract=revisions.is_contract(script),
        sql=_sql(settings, script),
        effects=_observed(tried, script),
        goes_back=losses.does_something(script, "downgrade"),
    )


def _fill(connection: Connection) -> None:
    metadata = MetaData()
    metadata.reflect(connection)
    rows.fill(connection, metadata)


def _sql(settings: Settings, script: Script) -> str:
    """For the real database's kind."""
    output = io.StringIO()
    config = Config(ROOT / "alembic.ini", output_buffer=output)
    config.attributes |= {"settings": settings, "patience": Patience(allow_contract=True)}
    command.upgrade(config, f"{script.down_revision or 'base'}:{script.revision}", sql=True)
    lines = [line for line in output.getvalue().splitlines() if line.strip() and not line.startswith("--")]
    statements = [statement.strip() for statement in "\n".join(lines).split(";")]
    own = re.compile(r"\b(alembic_version|migration_log)\b|^(BEGIN|COMMIT)?$")
    return ";\n".join(statement for statement in statements if not own.search(statement))


def _observed(tried: Settings, script: Script) -> Effects:
    before = dict(environment.on_connection(tried, lambda connection: list(_files(connection))))
    seen = Effects()

    def look(connection: Connection) -> None:
        """In the step's own transaction, when it has done its work."""
        for table, mode in connection.exec_driver_sql(LOCKS):
            if table in before and mode in STOPS:
                seen.locks.setdefault(table, set()).add(mode)
        seen.scanned.update(table for (table,) in connection.exec_driver_sql(SCANS) if table in before)
        after = dict(_files(connection))
        seen.rewritten.update(table for table in before if table in after and after[table] != before[table])

    config = revisions.config()
    config.attributes |= {"settings": tried, "patience": Patience(allow_contract=True), "observe": look}
    try:
        command.upgrade(config, script.revision)
    except SQLAlchemyError as error:
        seen.failures.append(str(getattr(error, "orig", error)).splitlines()[0])
    return seen


def _files(connection: Connection) -> Iterator[tuple[str, int]]:
    for table, number in connection.exec_driver_sql(TABLES):
        if table not in rows.OWN:
            yield table, number


def busy(tables: set[str], connection: Connection) -> dict[str, Busy]:
    """How large these tables are in the real database, and who is at them now."""
    there = set(inspect(connection).get_table_names()) & tables
    found = {table: Busy(_count(connection, table), []) for table in sorted(there)}
    if connection.dialect.name == "postgresql":
        for table, pid, user, seconds in connection.exec_driver_sql(HOLDERS):
            if table in found:
                found[table].holders.append(f"process {pid} of {user}, for {seconds} s")
    return found


def _count(connection: Connection, table: str) -> int:
    quoted = connection.dialect.identifier_preparer.quote(table)
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {quoted}").scalar() or 0)
