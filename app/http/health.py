"""Is it alive, and can it work?"""

import asyncio
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.db import migrations
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.http.problems import problem
from app.settings import Settings

READY_TIMEOUT_SECONDS = 5  # a probe that waits longer than the prober helps nobody

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["healthy"] = "healthy"
    message: str


class Live(BaseModel):
    status: Literal["live"] = "live"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


@router.get("/health")
async def health(request: Request) -> Health:
    """The process answers. Says nothing of the database: a restart would not mend that."""
    settings: Settings = request.app.state.settings
    return Health(message=f"{settings.app_name} is running")


@router.get("/health/live")
async def live() -> Live:
    return Live()


@router.get("/health/ready", response_model=Ready)
async def ready(request: Request) -> Ready | Response:
    """The database answers and its schema is at least the one that this code wants."""
    database: Database = request.app.state.database
    try:
        async with asyncio.timeout(READY_TIMEOUT_SECONDS), database.transaction(read_only=True) as session:
            state = await migrations.state(await session.connection())
    except (DatabaseUnavailable, TimeoutError):
        return problem(503, "The database is away.")
    if state in ("empty", "behind"):
        return problem(503, "The database's schema is behind the code: run `oppman.py migrate upgrade`.")
    return Ready()
