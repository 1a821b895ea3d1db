"""Is it alive, and can it work?"""

import asyncio
import logging
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.db.errors import DatabaseUnavailable
from app.db.migrations import revisions
from app.db.session import Database
from app.http.problems import problem
from app.settings import Settings

READY_TIMEOUT_SECONDS = 5  # a probe that waits longer than the prober helps nobody

logger = logging.getLogger(__name__)

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["healthy"] = "healthy"
    message: str


class Live(BaseModel):
    status: Literal["live"] = "live"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health(request: Request) -> Health:
    """The process answers. Says nothing of the database: a restart would not mend that."""
    settings: Settings = request.app.state.settings
    return Health(message=f"{settings.app_name} is running")


@router.head("/health/live", include_in_schema=False)
@router.get("/health/live")
async def live() -> Live:
    return Live()


@router.head("/health/ready", include_in_schema=False, response_model=None)
@router.get("/health/ready", response_model=Ready)
async def ready(request: Request) -> Ready | Response:
    """The database answers and its schema is at least the one that this code wants."""
    database: Database = request.app.state.database
    try:
        async with asyncio.timeout(READY_TIMEOUT_SECONDS), database.transaction(read_only=True) as session:
            state = await session.run_sync(lambda sync: revisions.state(sync.connection()))
    except (DatabaseUnavailable, TimeoutError) as error:
        logger.warning("not ready: %s", error or "the database does not answer in time")
        return problem(503, "The database is away.")
    if state in ("empty", "behind"):
        return problem(503, "The database's schema is behind the code: run `oppman.py migrate upgrade`.")
    return Ready()
