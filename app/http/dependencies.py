"""What a route may ask for."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1: they change nothing


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.transaction(read_only=request.method in SAFE_METHODS) as session:
        yield session


# scope="function": the commit comes before the response is sent. With the default scope it would come after, and a
# commit that fails or a process that dies would take back what the client was told is stored.
# docs/decisions/0009-commit-before-the-response.md
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
