"""Where a transaction begins and where it commits. This is the only place that does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from app.db.engine import SQLITE_BEGIN
from app.db.errors import DatabaseUnavailable, unavailable


class Database:
    """What the process holds of the database: made in the lifespan, closed there.

    Tests hand over a connection, which they roll back.
    """

    def __init__(self, bind: AsyncEngine | AsyncConnection) -> None:
        self.bind = bind

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block, or rolls back when the block raises.

        On SQLite a writer takes the write lock at once: one that read first and wrote later would fail whenever
        somebody else wrote in between, and no waiting would help it.

        Errors: DatabaseUnavailable; the outcome of a commit that it interrupts is unknown.
        """
        # create_savepoint: on a connection that is in a transaction already, "commit" releases a savepoint.
        session = AsyncSession(self.bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
        try:
            async with session, session.begin():
                await self._connect(session, {} if read_only else {SQLITE_BEGIN: "IMMEDIATE"})
                yield session
        except SQLAlchemyError as error:
            raise unavailable(error) or error from error

    async def _connect(self, session: AsyncSession, options: dict[str, str]) -> None:
        # Now and not at the first query: an OSError here is the network's, later it may be anybody's.
        try:
            await session.connection(execution_options=options)
        except OSError as error:
            raise DatabaseUnavailable.from_error(error) from error

    async def close(self) -> None:
        if isinstance(self.bind, AsyncEngine):
            await self.bind.dispose()
