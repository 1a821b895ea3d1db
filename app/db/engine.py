"""The one engine of a process."""

from typing import Any

from sqlalchemy import Connection, NullPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.settings import Settings

# The execution option that says how SQLite begins: IMMEDIATE takes the write lock at once, see session.py.
SQLITE_BEGIN = "sqlite_begin"


def create_engine(settings: Settings) -> AsyncEngine:
    """The application's engine: a bounded pool, every wait bounded too. It connects when first used."""
    database = settings.database
    connect_args = database.connect_args if database.is_sqlite else _postgresql_arguments(settings)
    engine = create_async_engine(
        database.url,
        connect_args=connect_args,
        hide_parameters=not settings.debug,  # parameters hold people's data, and errors end up in logs
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.database_pool_timeout_seconds,
        pool_pre_ping=not database.is_sqlite,  # survives a restart of the server while idle
    )
    if database.is_sqlite:
        listen_sqlite(engine, busy_timeout_seconds=settings.database_lock_timeout_seconds)
    return engine


def create_migration_engine(settings: Settings) -> AsyncEngine:
    """One connection for migrations, closed after use: no statement timeout, and no foreign keys on SQLite.

    With foreign keys on, SQLite would delete the children of a table that Alembic rebuilds, by CASCADE.
    """
    database = settings.database
    if database.is_sqlite:
        engine = create_async_engine(database.url, connect_args=database.connect_args, poolclass=NullPool)
        listen_sqlite(engine, busy_timeout_seconds=60, foreign_keys=False, begin="IMMEDIATE")
        return engine
    arguments = {**database.connect_args, "timeout": settings.database_connect_timeout_seconds}
    return create_async_engine(database.url, connect_args=arguments, poolclass=NullPool)


def _postgresql_arguments(settings: Settings) -> dict[str, Any]:  # Any: the driver's own arguments
    def milliseconds(seconds: float) -> str:
        return str(max(1, round(seconds * 1000)))  # 0 would mean no limit

    return {
        **settings.database.connect_args,
        "timeout": settings.database_connect_timeout_seconds,
        "server_settings": {
            "application_name": settings.app_name[:63],
            "timezone": "UTC",
            "statement_timeout": milliseconds(settings.database_statement_timeout_seconds),
            "lock_timeout": milliseconds(settings.database_lock_timeout_seconds),
            "idle_in_transaction_session_timeout": milliseconds(settings.database_idle_in_transaction_timeout_seconds),
        },
    }


def listen_sqlite(
    engine: AsyncEngine, *, busy_timeout_seconds: float, foreign_keys: bool = True, begin: str = "DEFERRED"
) -> None:
    """Make SQLite keep its promises: real transactions, foreign keys, readers beside one writer."""

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        # None: the driver begins nothing by itself. Its own BEGIN leaves out DDL and breaks savepoints.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {round(busy_timeout_seconds * 1000)}")  # first: WAL may have to wait
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a committed row survives a power cut
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        mode = connection.get_execution_options().get(SQLITE_BEGIN, begin)
        connection.exec_driver_sql(f"BEGIN {mode}")
