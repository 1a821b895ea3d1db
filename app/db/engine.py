"""The one engine of a process."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NullPool, event
from sqlalchemy import create_engine as create_sync_engine
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.url import DatabaseUrl, DatabaseUrlError
from app.db.url_drivers import TLS_FILES, without_prepared_statements
from app.errors import failures
from app.settings import Settings

# The execution option that says how SQLite begins: IMMEDIATE takes the write lock at once, see session.py.
SQLITE_BEGIN = "sqlite_begin"

EngineKind = TypeVar("EngineKind")

# How much later than the server the client gives up on a statement: only where the server has stopped answering.
PATIENCE_SECONDS = 2


def create_engine(settings: Settings) -> AsyncEngine:
    """The application's engine: a bounded pool, every wait bounded too. It connects when first used.

    Errors: DatabaseUrlError where its driver is not installed.
    """
    database = settings.database
    _refuse_memory(database)
    limits = {} if database.is_sqlite else _limits(settings)
    engine = _with_driver(
        database,
        partial(
            create_async_engine,
            database.url,
            connect_args=database.connect_args if database.is_sqlite else _arguments(settings, database, limits),
            hide_parameters=not settings.debug,  # parameters hold people's data, and errors end up in logs
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=settings.database_pool_timeout_seconds,
            pool_pre_ping=not database.is_sqlite,  # survives a restart of the server while idle
        ),
    )
    if database.is_sqlite:
        _listen_sqlite(engine.sync_engine, busy_timeout_seconds=settings.database_lock_timeout_seconds)
    elif database.pooled:
        _limit_each_transaction(engine.sync_engine, limits)
    return engine


def create_migration_engine(
    settings: Settings, *, wait_seconds: float = 60, read_only: bool = False
) -> AsyncEngine | Engine:
    """One connection for migrations, closed after use; sync where its driver is.

    Without a statement timeout: a migration takes what it takes. Without foreign keys on SQLite: with them it would
    delete the children of a table that Alembic rebuilds, by CASCADE.
    wait_seconds: for another process that writes to SQLite.
    Errors: DatabaseUrlError where its driver is not installed.
    """
    database = settings.migration_database
    _refuse_memory(database)
    make: Callable[..., AsyncEngine | Engine] = create_async_engine if database.is_async else create_sync_engine
    arguments = database.connect_args
    if not database.is_sqlite:
        # Migrations gain nothing from prepared statements, and a pooler that nobody spoke of may be in between.
        arguments = _arguments(settings, database, {}) | without_prepared_statements(database.driver)
    engine = _with_driver(database, partial(make, database.url, connect_args=arguments, poolclass=NullPool))
    if database.is_sqlite:
        sync_engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
        begin = "DEFERRED" if read_only else "IMMEDIATE"
        _listen_sqlite(sync_engine, busy_timeout_seconds=wait_seconds, foreign_keys=False, begin=begin)
    return engine


def _refuse_memory(database: DatabaseUrl) -> None:
    if database.is_sqlite and database.url.database in (None, "", ":memory:"):
        raise DatabaseUrlError("a database in memory has no tables for the service: name a file, sqlite:///./app.db")


async def settle(database_is_sqlite: bool) -> None:
    """After a connection that failed: let its thread end before the event loop does.

    aiosqlite does not wait for it, and the thread would complain, in many lines, of a loop that is closed.
    """
    if database_is_sqlite:
        await asyncio.sleep(0.05)


def _with_driver(database: DatabaseUrl, make: Callable[[], EngineKind]) -> EngineKind:
    try:
        return make()
    except ImportError as error:
        failures["driver"] += 1
        install = f"install it with: uv sync --inexact --extra {database.driver}"
        raise DatabaseUrlError(f"the driver {database.driver} is not installed: {install}") from error


def _limits(settings: Settings) -> dict[str, str]:
    """PostgreSQL's own names, in milliseconds. What the URL's options set is left to them."""

    def milliseconds(seconds: float) -> str:
        return str(max(1, round(seconds * 1000)))  # 0 would mean no limit

    limits = {
        "statement_timeout": milliseconds(settings.database_statement_timeout_seconds),
        "lock_timeout": milliseconds(settings.database_lock_timeout_seconds),
        "idle_in_transaction_session_timeout": milliseconds(settings.database_idle_in_transaction_timeout_seconds),
    }
    options = settings.database.parameters.get("options", "")
    return {name: value for name, value in limits.items() if name not in options}


def _arguments(settings: Settings, database: DatabaseUrl, limits: dict[str, str]) -> dict[str, Any]:
    """connect_args of one driver. (Any: the driver's own)"""
    session = {"application_name": settings.app_name[:63], "timezone": "UTC"}
    if not database.pooled:  # a pooler refuses limits at the start of a connection
        session |= limits
    session = {name: value for name, value in session.items() if name not in database.parameters}
    _require_files(database)
    arguments = dict(database.connect_args)
    seconds = settings.database_connect_timeout_seconds
    if database.driver == "asyncpg":
        arguments |= {"server_settings": session, "timeout": arguments.get("timeout", seconds)}
        if limits:  # bytes that stop coming are noticed by the client alone
            arguments.setdefault("command_timeout", settings.database_statement_timeout_seconds + PATIENCE_SECONDS)
        if database.has_several_hosts:
            from app.db import failover  # here: it brings asyncpg along, for which SQLite would wait at every start

            wanted = database.parameters.get("target_session_attrs", "any")
            arguments["async_creator_fn"] = partial(failover.connect, wanted)
    elif database.driver == "pg8000":
        arguments.setdefault("timeout", max(1, round(seconds)))
        arguments.setdefault("application_name", settings.app_name[:63])
    else:
        if "connect_timeout" not in database.parameters:
            arguments["connect_timeout"] = max(2, round(seconds))  # libpq takes whole seconds, two at least
        if "application_name" in session:
            arguments["application_name"] = session.pop("application_name")
        if limits and not database.pooled:
            options = [database.parameters.get("options", ""), *(f"-c {n}={value}" for n, value in session.items())]
            arguments["options"] = " ".join(filter(None, options))
    return arguments


def _require_files(database: DatabaseUrl) -> None:
    # Here and not when connecting: the drivers' words for it cannot be told from those for a server that is away.
    for name in TLS_FILES:
        path = database.parameters.get(name, "")
        if path not in ("", "system") and not os.access(path, os.R_OK):
            failures["tls"] += 1
            raise DatabaseUrlError(f"{name} names a file that is not there, or may not be read: correct its path")


def _limit_each_transaction(engine: Engine, limits: dict[str, str]) -> None:
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if calls:
            connection.exec_driver_sql(f"SELECT {calls}")


def _listen_sqlite(
    engine: Engine, *, busy_timeout_seconds: float, foreign_keys: bool = True, begin: str = "DEFERRED"
) -> None:
    """Make SQLite keep its promises: real transactions, foreign keys, readers beside one writer."""

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        # None: the driver begins nothing by itself. Its own BEGIN leaves out DDL and breaks savepoints.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {round(busy_timeout_seconds * 1000)}")
        _switch_to_wal(cursor, busy_timeout_seconds)
        cursor.execute("PRAGMA synchronous = FULL")  # a committed row survives a power cut
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        mode = connection.get_execution_options().get(SQLITE_BEGIN, begin)
        connection.exec_driver_sql(f"BEGIN {mode}")


def _switch_to_wal(cursor: DBAPICursor, wait_seconds: float) -> None:
    """A file is switched once, for good. For this SQLite does not wait, whatever busy_timeout says.

    Several processes that open a new file at the same moment are enough for "database is locked".
    """
    ends = time.monotonic() + wait_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= ends:
                raise
            time.sleep(0.01)  # of the event loop, too: once in the life of a file
