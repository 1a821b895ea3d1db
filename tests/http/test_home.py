import re

import pytest
from conftest import client_of
from databases import settings_for
from fastapi import FastAPI, Request
from httpx import AsyncClient
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Receive, Scope, Send

from app.db.migrations import revisions
from app.db.session import Database
from app.features.users.models import User
from app.http.home import address
from app.http.pages import Link
from app.main import create_app
from app.settings import Settings

PRODUCTION = {
    "environment": "production",
    "secret_key": "kJ8vQ2xWm5RtZc7NbYp4LsHd9FgA3eUo",
    "allowed_hosts": "localhost",
}


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def home_on(settings: Settings) -> str:
    app = create_app(settings)
    app.state.database = Database.open(settings)
    async with client_of(app) as client:
        response = await client.get("/")
    await app.state.database.close()
    assert response.status_code == 200
    return response.text


async def test_home_says_what_is_running(client: AsyncClient, backend: str, settings: Settings) -> None:
    response = await client.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    text = text_of(response.text)
    product = {"sqlite": r"SQLite 3\.\d+", "postgresql": r"PostgreSQL \d+"}[backend]
    assert "Environment development" in text
    assert re.search(f"Database {product}[.\\d]* answers", text)
    assert f"Driver {settings.database.driver}" in text
    assert f"Schema {revisions.require_one_head()} current" in text
    assert re.search(r"Connections \d+ of 10 in use", text)
    assert (settings.database.url.database or "?") in text


async def test_home_asks_the_database_twice_at_most(client: AsyncClient, engine: AsyncEngine) -> None:
    await client.get("/")  # what a new connection is asked once is not counted
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await client.get("/")
    asked = [sql for sql in statements if not re.match(r"BEGIN|(RELEASE )?SAVEPOINT", sql)]
    assert 1 <= len(asked) <= 2


async def test_home_leads_to_everything(app: FastAPI, client: AsyncClient) -> None:
    app.state.navigation = (Link("Open", "/open"), Link("Hidden", "/hidden", lambda user: user is not None))
    page = (await client.get("/")).text
    for path in ("/open", "/docs", "/health", "/admin"):
        assert f'class="card" href="{path}"' in page
    assert "/hidden" not in page


async def test_home_answers_a_monitor_and_a_program(client: AsyncClient) -> None:
    head = await client.head("/")
    program = await client.get("/", headers={"Accept": "application/json"})
    for response in (head, program):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")


async def test_home_tells_of_migrations_to_come(empty_url: str) -> None:
    text = text_of(await home_on(settings_for(empty_url)))
    assert f"Schema {len(revisions.history())} pending run python3 oppman.py migrate upgrade" in text


async def test_home_tells_of_a_schema_of_newer_code(own_settings: Settings) -> None:
    database = Database.open(own_settings)
    async with database.transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_tomorrow'")
    await database.close()
    assert "Schema from_tomorrow newer than this code" in text_of(await home_on(own_settings))


async def test_home_says_that_the_database_is_away_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    url = "postgresql://user:canary@127.0.0.1:1/shop?application_name=canary"
    page = await home_on(settings_for(url))
    assert "Database PostgreSQL is away" in text_of(page)
    assert "127.0.0.1:1/shop" in page
    assert "canary" not in page + caplog.text
    assert "the database is away" in caplog.text


@pytest.mark.parametrize(
    "url", ["postgresql://u:canary@one:1,two/shop", "postgresql+psycopg://u:canary@one:1,two/shop"]
)
def test_several_hosts_are_all_named(url: str) -> None:
    settings = settings_for(f"{url}?connect_timeout=2")

    assert address(settings.database) == "one,two/shop"


class SignedIn:
    """As the accounts do: somebody is known before a route is reached."""

    def __init__(self, app: ASGIApp, *, is_staff: bool, is_superuser: bool) -> None:
        self.app = app
        self.user = User(
            email="a@example.com", is_active=True, is_staff=is_staff, is_superuser=is_superuser, group=None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        Request(scope).state.user = self.user
        await self.app(scope, receive, send)


@pytest.mark.parametrize("role", [None, "member", "is_staff", "is_superuser"])
async def test_in_production_the_database_is_for_staff(own_settings: Settings, role: str | None) -> None:
    settings = settings_for(own_settings.database_url.get_secret_value(), **PRODUCTION)
    app = create_app(settings)
    app.state.database = Database.open(settings)
    if role:
        app.add_middleware(SignedIn, is_staff=role == "is_staff", is_superuser=role == "is_superuser")
    async with client_of(app) as client:
        text = text_of((await client.get("/")).text)
    await app.state.database.close()
    assert "Environment production" in text
    assert ("Database" in text) == (settings.database.driver in text) == (role in ("is_staff", "is_superuser"))
