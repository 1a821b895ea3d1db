"""What a route may ask for."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database
from app.http.csrf import SAFE_METHODS
from app.storage import Storage


async def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


# For who has to wait for something else before the transaction begins.
CurrentDatabase = Annotated[Database, Depends(get_database)]


async def get_session(request: Request, database: CurrentDatabase) -> AsyncIterator[AsyncSession]:
    async with database.transaction(read_only=request.method in SAFE_METHODS) as session:
        yield session
    storage: Storage = request.app.state.storage
    await storage.discard_unused(session)


# scope="function": the commit comes before the response is sent. With the default scope it would come after, and a
# commit that fails or a process that dies would take back what the client was told is stored.
# docs/decisions/0009-commit-before-the-response.md
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
