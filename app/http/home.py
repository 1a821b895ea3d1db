"""/: what is running here, and where to go from it."""

import asyncio
import logging
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, QueuePool

from app.db.errors import DatabaseUnavailable
from app.db.migrations import revisions
from app.db.session import Database
from app.db.url import DatabaseUrl
from app.http.pages import page, visitor
from app.settings import ROOT, Settings

PATIENCE_SECONDS = 5  # for a database that is silent: the page says so then

logger = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Schema:
    """What the database says of itself."""

    server_version: str
    revision: str  # empty before the first migration
    pending: int | None  # None: it is at a revision of newer code


@router.head("/")
@router.get("/")
async def home(request: Request) -> HTMLResponse:
    settings: Settings = request.app.state.settings
    context: dict[str, object] = {"environment": settings.environment, "database": None}
    if _may_know_all(request):
        context["database"] = await _database(request.app.state.database, settings.database)
    return page(request, "home.html", context)


def address(url: DatabaseUrl) -> str:
    """Where it is, without who asks and how."""
    name = url.url.database or ""
    if url.is_sqlite:
        return name.removeprefix(f"{ROOT}/")
    hosts = url.url.query.get("host")
    host = ",".join(hosts) if isinstance(hosts, tuple) else hosts or f"{url.url.host}:{url.url.port}"
    return f"{host}/{name}"


def _may_know_all(request: Request) -> bool:
    settings: Settings = request.app.state.settings
    who = visitor(request)
    return settings.environment != "production" or (who is not None and (who.is_staff or who.is_superuser))


async def _database(database: Database, url: DatabaseUrl) -> dict[str, object]:
    pool = database.bind.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return {
        "kind": "SQLite" if url.is_sqlite else "PostgreSQL",
        "driver": url.driver,
        "address": address(url),
        "pool_size": pool.size(),
        "pool_used": pool.checkedout(),  # before this page takes one itself
        "schema": await _schema(database),  # None: it is away
    }


async def _schema(database: Database) -> Schema | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), database.transaction(read_only=True) as session:
            return await session.run_sync(lambda sync: _read_schema(sync.connection()))
    except (DatabaseUnavailable, TimeoutError) as error:
        logger.warning("%s", error or "the database does not answer in time")
        return None


def _read_schema(connection: Connection) -> Schema:
    at = revisions.current(connection)
    version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    try:
        pending = len(revisions.pending(at))
    except revisions.DatabaseAhead:
        pending = None
    return Schema(version, ", ".join(sorted(at)), pending)
