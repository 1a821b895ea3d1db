"""Every revision up, down and up again over tables that hold rows: is anything lost that nobody said is dropped?"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from alembic.script import Script
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import SQLAlchemyError

from app.db.migrations import environment, losses, revisions, rows, snapshot, throwaway
from app.db.migrations.rows import Contents
from app.db.migrations.snapshot import Snapshot
from app.db.migrations.throwaway import BACKENDS, Backend
from app.errors import UserError
from app.settings import Settings


@dataclass(frozen=True)
class Problem:
    revision: str
    backend: Backend
    what: str

    def __str__(self) -> str:
        return f"{self.revision} on {self.backend}: {self.what}"


def rehearse(only: str | None = None) -> list[Problem]:
    """What is wrong with the revisions, or with that one, on SQLite and PostgreSQL."""
    logging.getLogger(environment.__name__).setLevel(logging.WARNING)
    with throwaway.databases() as make:
        return [problem for backend in BACKENDS for problem in _on(backend, make(backend), only)]


def _on(backend: Backend, settings: Settings, only: str | None) -> Iterator[Problem]:
    before = "base"
    for script in revisions.history():
        try:
            if only in (None, script.revision):
                if only:
                    throwaway.migrate_before(settings, script)
                for what in _there_and_back(settings, script, before):
                    yield Problem(script.revision, backend, what)
        except (SQLAlchemyError, UserError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            yield Problem(script.revision, backend, f"fails over tables with rows: {_first_line(error)}")
            return  # what follows builds on it
        before = script.revision


def _there_and_back(settings: Settings, script: Script, before: str) -> Iterator[str]:
    gone = losses.names_in(script, "drop_table", "drop_column")
    renamed = losses.names_in(script, "alter_column", "rename_table")
    rewritten = set(getattr(script.module, "rewrites", ()))  # table.column, whose values it changes on purpose
    added = losses.names_in(script, "add_column")
    _fill(settings)  # what it complains of was said at the revision before
    old_schema, old_rows = _look(settings)

    throwaway.migrate(settings, script.revision)
    new_schema, new_rows = _look(settings)
    yield from _lost(old_rows, new_rows, gone | renamed, rewritten, "upgrade")
    if added and losses.names_in(script, "drop_column") and not losses.names_in(script, "execute"):
        yield "drops a column and adds one: to rename it use alter_column(new_column_name=…), which keeps the data"

    yield from _fill(settings)
    _, filled = _look(settings)
    throwaway.migrate(settings, before, down=True)
    back_schema, back_rows = _look(settings)
    yield from (f"the downgrade does not lead back: {line}" for line in snapshot.differences(back_schema, old_schema))
    yield from _lost(_like(filled, old_rows), back_rows, set(), rewritten, "downgrade")
    yield from _lost(old_rows, back_rows, gone, rewritten | gone, "way there and back")

    throwaway.migrate(settings, script.revision)
    again_schema, _ = _look(settings)
    yield from (f"the second upgrade differs: {line}" for line in snapshot.differences(again_schema, new_schema))


def _look(settings: Settings) -> tuple[Snapshot, Contents]:
    def look(connection: Connection) -> tuple[Snapshot, Contents]:
        return snapshot.take(connection), rows.read(connection)

    return environment.on_connection(settings, look)


def _fill(settings: Settings) -> list[str]:
    def work(connection: Connection) -> list[str]:
        metadata = MetaData()
        metadata.reflect(connection)
        return rows.fill(connection, metadata)

    return environment.in_transaction(settings, work)


def _lost(before: Contents, after: Contents, absent: set[str], changed: set[str], step: str) -> Iterator[str]:
    """What is not there any more, besides the names that may be absent, or changed."""
    for table, old in before.items():
        if table not in after:
            if table not in absent:
                yield f"the {step} loses table {table}"
            continue
        if table in absent and not after[table]:  # dropped, and made again
            continue
        new = after[table]
        if len(new) < len(old):
            yield f"the {step} loses {len(old) - len(new)} of {len(old)} rows of {table}"
            continue
        yield from _changed(table, old, new, absent, changed, step)


def _changed(
    table: str, old: rows.Rows, new: rows.Rows, absent: set[str], changed: set[str], step: str
) -> Iterator[str]:
    columns = {name for row in old.values() for name in row}
    for column in sorted(columns):
        if not any(column in row for row in new.values()):
            if new and column not in absent:
                yield f"the {step} loses column {table}.{column}"
        elif not {column, f"{table}.{column}"} & changed and any(
            key in new and row[column] != new[key].get(column) for key, row in old.items()
        ):
            yield f"the {step} changes values of {table}.{column}"


def _like(contents: Contents, pattern: Contents) -> Contents:
    """Only the tables and columns that there were at the other revision."""
    columns = {table: {name for row in held.values() for name in row} for table, held in pattern.items()}
    return {
        table: {key: {n: v for n, v in row.items() if n in columns[table]} for key, row in held.items()}
        for table, held in contents.items()
        if table in columns
    }


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(getattr(error, 'orig', error)).splitlines()), '')}"
