"""Where a transaction begins and where it commits. This is the only place that does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from app.db.changes import RecordingSession
from app.db.engine import PATIENCE_SECONDS, SQLITE_BEGIN, create_engine, settle
from app.db.errors import DatabaseUnavailable, unavailable
from app.settings import Settings


class Database:
    """What the process holds of the database: made in the lifespan, closed there.

    Tests hand over a connection, which they roll back.
    """

    def __init__(self, bind: AsyncEngine | AsyncConnection, connect_seconds: float | None = None) -> None:
        self.bind = bind
        self.connect_seconds = connect_seconds

    @classmethod
    def open(cls, settings: Settings) -> "Database":
        """Errors: DatabaseUrlError where the driver is not installed."""
        # Beyond the limits of pool and driver: psycopg has none for a server that is connected and silent.
        hosts = 1 + str(settings.database.url.query.get("host", "")).count(",")
        seconds = settings.database_pool_timeout_seconds + hosts * max(2, settings.database_connect_timeout_seconds)
        return cls(create_engine(settings), seconds + PATIENCE_SECONDS)

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block, or rolls back when the block raises.

        On SQLite a writer takes the write lock at once: one that read first and wrote later would fail whenever
        somebody else wrote in between, and no waiting would help it.

        Errors: DatabaseUnavailable; the outcome of a commit that it interrupts is unknown.
        """
        # create_savepoint: on a connection that is in a transaction already, "commit" releases a savepoint.
        session = AsyncSession(
            self.bind,
            sync_session_class=RecordingSession,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        try:
            async with session, session.begin():
                await self._connect(session, {} if read_only else {SQLITE_BEGIN: "IMMEDIATE"})
                yield session
        except SQLAlchemyError as error:
            raise unavailable(error) or error from error

    async def _connect(self, session: AsyncSession, options: dict[str, str]) -> None:
        # Now and not at the first query: an OSError here is the network's, later it may be anybody's.
        try:
            async with asyncio.timeout(self.connect_seconds):
                await session.connection(execution_options=options)
        except SQLAlchemyError:
            await settle(self.bind.dialect.name == "sqlite")
            raise
        except OSError as error:  # TimeoutError is one
            raise DatabaseUnavailable.from_error(error) from error

    async def close(self) -> None:
        if isinstance(self.bind, AsyncEngine):
            await self.bind.dispose()
