import pytest
from anyio import to_thread
from conftest import client_of
from databases import migrate, settings_for
from fastapi import FastAPI
from httpx import AsyncClient

from app.db.session import Database
from app.http.dependencies import Session
from app.main import create_app
from app.settings import Settings


def app_on(settings: Settings) -> FastAPI:
    app = create_app(settings)
    app.state.database = Database.open(settings)
    return app


async def test_a_monitor_may_ask_by_head(client: AsyncClient) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        assert (await client.head(path)).status_code == 200


async def test_health_says_who_is_running(client: AsyncClient) -> None:
    response = await client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "healthy", "message": "FastOpp Demo app is running"}


async def test_the_name_in_health_is_a_setting() -> None:
    app = create_app(settings_for("sqlite://", app_name="Shop"))
    async with client_of(app) as client:
        assert (await client.get("/health")).json()["message"] == "Shop is running"


async def test_a_migrated_database_is_ready(client: AsyncClient) -> None:
    response = await client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_an_older_schema_is_not_ready(empty_url: str) -> None:
    settings = settings_for(empty_url)
    app = app_on(settings)
    async with client_of(app) as client:
        empty = await client.get("/health/ready")
        await to_thread.run_sync(migrate, settings, "+1")
        behind = await client.get("/health/ready")
        live = await client.get("/health/live")
    await app.state.database.close()

    for response in (empty, behind):
        assert response.status_code == 503
        assert "behind the code" in response.json()["detail"]
    assert live.status_code == 200


async def test_a_database_that_is_away_is_not_ready_and_not_named(caplog: pytest.LogCaptureFixture) -> None:
    app = app_on(settings_for("postgresql://canary_user:canary_password@127.0.0.1:1/canary_name"))

    @app.get("/asks")
    async def ask(session: Session) -> None: ...

    async with client_of(app) as client:
        ready = await client.get("/health/ready")
        asked = await client.get("/asks")
        health = await client.get("/health")
    await app.state.database.close()

    assert (ready.status_code, asked.status_code, health.status_code) == (503, 503, 200)
    assert ready.json()["detail"] == "The database is away."
    assert asked.headers["retry-after"] == "2"
    assert caplog.text.count("nothing answers at its address") == 2  # for us, why
    assert "canary" not in ready.text + asked.text + caplog.text


async def test_a_database_of_newer_code_is_ready(own_settings: Settings) -> None:
    app = app_on(own_settings)
    async with app.state.database.transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_tomorrow'")
    async with client_of(app) as client:
        response = await client.get("/health/ready")
    await app.state.database.close()
    assert response.status_code == 200
