"""What alembic/env.py does, so that plain ``alembic`` and ``oppman.py migrate`` are one thing."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal, TypeVar

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import JSON, Connection, Engine, MetaData
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

from app.db.engine import create_migration_engine, settle
from app.db.errors import unavailable
from app.errors import UserError
from app.settings import ROOT, Settings, load_settings

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class OrphanedRows(UserError):
    """A migration on SQLite would leave rows that point to nothing; it is rolled back."""


def config() -> Config:
    """Alembic's configuration, whatever folder one stands in."""
    return Config(ROOT / "alembic.ini", stdout=sys.stdout)  # the default is bound when Alembic is imported


def run(metadata: MetaData) -> None:
    """Run what Alembic was asked for, online or as SQL. Called by alembic/env.py."""
    try:
        settings: Settings = context.config.attributes.get("settings") or load_settings()
        if context.is_offline_mode():
            _run_offline(settings, metadata)
        else:
            on_connection(settings, partial(_run_on, metadata))
    except UserError as error:
        raise CommandError(str(error)) from error  # which plain alembic prints as one line


def _run_offline(settings: Settings, metadata: MetaData) -> None:
    # paramstyle: other drivers' styles double every % in data.
    _configure(metadata, url=settings.migration_database.url, literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def on_connection(settings: Settings, work: Callable[[Connection], Result]) -> Result:
    """What the work returns, done on a connection for migrations.

    Errors: DatabaseUnavailable; DatabaseUrlError.
    """
    return on_engine(create_migration_engine(settings), work)


def on_engine(engine: AsyncEngine | Engine, work: Callable[[Connection], Result]) -> Result:
    """The same on an engine that is made for it, with an async driver or a sync one; the engine is closed."""
    try:
        if isinstance(engine, AsyncEngine):
            return asyncio.run(_on_async(engine, work))
        with engine.connect() as connection:
            return work(connection)
    except (OSError, SQLAlchemyError) as error:
        raise unavailable(error) or error from error


async def _on_async(engine: AsyncEngine, work: Callable[[Connection], Result]) -> Result:
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    except SQLAlchemyError:
        await settle(engine.dialect.name == "sqlite")
        raise
    finally:
        await engine.dispose()


def _run_on(metadata: MetaData, connection: Connection) -> None:
    # Nothing may be executed before configure(): Alembic would take the transaction for somebody else's, and
    # commit nothing.
    _configure(metadata, connection=connection, on_version_apply=_report())
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            _refuse_orphans(connection)


def _configure(metadata: MetaData, **options: Any) -> None:  # Any: Alembic's own arguments
    dialect = options["url" if "url" in options else "connection"]
    is_sqlite = (dialect.get_backend_name() if "url" in options else dialect.dialect.name) == "sqlite"
    context.configure(
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,  # SQLite changes a table by making it anew
        render_item=_render_item,
        transactional_ddl=True,  # ours is, see engine.listen_sqlite; Alembic supposes that SQLite's is not
        transaction_per_migration=not is_sqlite,
        **options,
    )


def _render_item(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    """A migration names plain types: it must mean the same when the application's types have changed."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    if kind == "type" and isinstance(item, JSON):  # Alembic renders the variant with a name it does not import
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def _report() -> Any:  # Any: Alembic declares the callback's arguments as such
    started = time.perf_counter()

    def on_version_apply(*, step: MigrationInfo, **_: object) -> None:
        nonlocal started
        milliseconds, started = (time.perf_counter() - started) * 1000, time.perf_counter()
        verb = "stamp" if step.is_stamp else "upgrade" if step.is_upgrade else "downgrade"
        script = _scripts().get_revision(step.up_revision_id or "base")
        logger.info("%s %s %s (%.0f ms)", verb, step.up_revision_id, script.doc if script else "", milliseconds)

    return on_version_apply


def _refuse_orphans(connection: Connection) -> None:
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        tables = ", ".join(sorted({f"{row[0]} -> {row[2]}" for row in orphans}))
        raise OrphanedRows(f"{len(orphans)} rows would point to nothing ({tables}); nothing was changed")


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())


def heads() -> set[str]:
    """The newest revisions that this code knows."""
    return set(_scripts().get_heads())


def current(connection: Connection) -> set[str]:
    """The revisions that the database is at; empty before the first migration."""
    return set(MigrationContext.configure(connection).get_current_heads())


def state(connection: Connection) -> Literal["empty", "behind", "head", "ahead"]:
    """Where the database's schema is, compared with this code.

    A revision that this code does not know was made by a newer one: the database is ahead.
    """
    revisions = current(connection)
    if not revisions:
        return "empty"
    if revisions == heads():
        return "head"
    known = {script.revision for script in _scripts().walk_revisions()}
    return "behind" if revisions <= known else "ahead"
