"""What alembic/env.py does, so that plain ``alembic`` and ``oppman.py migrate`` are one thing."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, MetaData, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import create_migration_engine, settle
from app.db.errors import names_what_is_not_there, unavailable
from app.db.migrations import deploy, journal, orphans, portable, revisions
from app.db.migrations.deploy import Patience
from app.errors import UserError
from app.settings import Settings, load_settings

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


# Made when they are needed, known to no model: autogenerate leaves them alone.
OWN_TABLES = (journal.NAME, "backfill_progress")

# A statement that waits for a lock would run later, although whoever sent it was killed: the server looks every two
# seconds. Servers before 14, and those on macOS and Windows, refuse the setting. LOCAL: a pooler keeps what a session
# sets, and refuses it at the start of one.
NOTICE_KILLED_CLIENT = (
    "DO 'BEGIN SET LOCAL client_connection_check_interval = 2000; "
    "EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN NULL; END'"
)


class ContractHeldBack(UserError):
    """A contract step was met that nobody asked for."""


def run(metadata: MetaData) -> None:
    """Run what Alembic was asked for, online or as SQL. Called by alembic/env.py."""
    try:
        settings: Settings = context.config.attributes.get("settings") or load_settings()
        patience: Patience = context.config.attributes.get("patience") or Patience()
        if context.is_offline_mode():
            _run_offline(settings, metadata)
        else:
            _run_online(settings, patience, metadata)
    except UserError as error:
        raise CommandError(str(error)) from error  # which plain alembic prints as one line


def _run_offline(settings: Settings, metadata: MetaData) -> None:
    # paramstyle: other drivers' styles double every % in data.
    _configure(
        metadata,
        url=settings.migration_database.url,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        on_version_apply=_record(),
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_online(settings: Settings, patience: Patience, metadata: MetaData) -> None:
    changes = _changes_the_schema()
    is_postgresql = not settings.migration_database.is_sqlite

    def once() -> None:
        engine = create_migration_engine(settings, wait_seconds=patience.budget_seconds, read_only=not changes)
        if is_postgresql and changes:
            _limit_locks(engine, patience)
        lock = partial(deploy.take_lock, patience) if is_postgresql and changes else None
        on_engine(engine, partial(_run_on, metadata, patience, changes=changes), lock=lock)

    deploy.wait_for_database(patience, lambda: deploy.try_again(patience, once) if changes else once())


def _changes_the_schema() -> bool:
    """upgrade, downgrade and stamp have a destination; current, check and revision have none."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def on_connection(settings: Settings, work: Callable[[Connection], Result]) -> Result:
    """What the work returns: it reads, on a connection for migrations.

    Errors: DatabaseUnavailable; DatabaseUrlError.
    """
    try:
        return on_engine(create_migration_engine(settings, read_only=True), work)
    except SQLAlchemyError as error:  # a lock not had, which on_engine leaves to those who try again
        raise unavailable(error) or error from error


def in_transaction(settings: Settings, work: Callable[[Connection], Result]) -> Result:
    """The same for work that writes: committed when it is done.

    Errors: whatever the database raises.
    """

    def committed(connection: Connection) -> Result:
        result = work(connection)
        connection.commit()
        return result

    return on_engine(create_migration_engine(settings), committed)


def on_engine(
    engine: AsyncEngine | Engine, work: Callable[[Connection], Result], lock: Callable[[Connection], None] | None = None
) -> Result:
    """The same on an engine that is made for it, with an async driver or a sync one; the engine is closed.

    lock: what a second connection does first; its transaction stays open as long as the work goes on.
    """
    try:
        if isinstance(engine, AsyncEngine):
            return asyncio.run(_on_async(engine, work, lock))
        with engine.connect() as connection:
            if lock is None:
                return work(connection)
            with engine.connect() as second:
                lock(second)
                return work(connection)
    except (OSError, SQLAlchemyError) as error:
        if deploy.is_lock_not_had(error) or names_what_is_not_there(error):
            raise
        raise unavailable(error) or error from error


async def _on_async(
    engine: AsyncEngine, work: Callable[[Connection], Result], lock: Callable[[Connection], None] | None
) -> Result:
    try:
        async with engine.connect() as connection:
            if lock is None:
                return await connection.run_sync(work)
            async with engine.connect() as second:
                await second.run_sync(lock)
                return await connection.run_sync(work)
    except SQLAlchemyError:
        await settle(engine.dialect.name == "sqlite")
        raise
    finally:
        await engine.dispose()


def _limit_locks(engine: AsyncEngine | Engine, patience: Patience) -> None:
    milliseconds = max(1, round(patience.lock_timeout_seconds * 1000))

    @event.listens_for(engine.sync_engine if isinstance(engine, AsyncEngine) else engine, "begin")
    def begin(connection: Connection) -> None:
        # Not around CONCURRENTLY, which is outside of any transaction: a timeout there leaves an invalid index.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            connection.exec_driver_sql(NOTICE_KILLED_CLIENT)


def _run_on(metadata: MetaData, patience: Patience, connection: Connection, *, changes: bool) -> None:
    # Nothing may be executed before configure(): Alembic would take the transaction for somebody else's, and
    # commit nothing.
    _configure(metadata, connection=connection, on_version_apply=_record())
    with context.begin_transaction():
        before = revisions.current(connection)
        if changes:
            _refuse_surprises(patience, before)
        context.run_migrations()
        if connection.dialect.name == "sqlite" and revisions.current(connection) != before:
            orphans.refuse(connection)


def _refuse_surprises(patience: Patience, before: set[str]) -> None:
    waiting = revisions.pending(before)
    contract = [script for script in waiting if revisions.is_contract(script)]
    if not contract or patience.allow_contract:
        return
    destination = str(context.get_revision_argument())
    if destination.startswith("-"):
        return
    if destination.startswith("+"):
        wanted = {script.revision for script in waiting[: int(destination)]}
    else:
        wanted = {script.revision for script in revisions.scripts().iterate_revisions(destination, "base")}
    if contract[0].revision in wanted:
        raise ContractHeldBack(
            f"{contract[0].revision} is a contract step, for when no older code runs: run oppman.py migrate upgrade, "
            "and with --contract to apply it"
        )


def _configure(metadata: MetaData, **options: Any) -> None:  # Any: Alembic's own arguments
    dialect = options["url" if "url" in options else "connection"]
    is_sqlite = (dialect.get_backend_name() if "url" in options else dialect.dialect.name) == "sqlite"
    context.configure(
        target_metadata=metadata,
        include_name=lambda name, kind, _parents: not (kind == "table" and name in OWN_TABLES),
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,  # SQLite changes a table by making it anew
        render_item=portable.render_item,
        transactional_ddl=True,  # ours is, see engine.py; Alembic supposes that SQLite's is not
        transaction_per_migration=not is_sqlite,
        **options,
    )


def _record() -> Any:  # Any: Alembic declares the callback's arguments as such
    started = time.perf_counter()

    def on_version_apply(*, ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
        nonlocal started
        seconds, started = time.perf_counter() - started, time.perf_counter()
        direction = "stamp" if step.is_stamp else "upgrade" if step.is_upgrade else "downgrade"
        revision = step.up_revision_id or "base"
        script = revisions.scripts().get_revision(revision)
        file_hash = revisions.file_hash(script) if script else ""
        observe = context.config.attributes.get("observe")
        if observe is not None:
            observe(ctx.connection)
        journal.write(ctx, revision=revision, direction=direction, seconds=seconds, file_hash=file_hash)
        logger.info("%s %s %s (%.0f ms)", direction, revision, script.doc if script else "", seconds * 1000)

    return on_version_apply
