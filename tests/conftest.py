"""Every test that touches data runs on SQLite and on a real PostgreSQL, on the schema that the migrations make.

client, session     one transaction around the test, rolled back at its end: fast, for nearly everything
own_settings        a database of the test's own, migrated: where commits must be real, or several processes meet
own_url, empty_url  the same for other processes, and one that is still empty
checkout            a copy of the project, for tests of oppman.py
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from app.settings import ROOT, Settings

# What the person at the keyboard has set is not for the tests.
TEST_DATABASE_URL = os.environ.pop("TEST_DATABASE_URL", None)
for setting in Settings.model_fields:
    os.environ.pop(setting.upper(), None)

from buckets import s3_server
from databases import Databases, PostgresqlServer, SqliteFiles, migrate, settings_for

from app.db import local_postgres
from app.db.engine import create_engine
from app.db.session import Database
from app.main import create_app
from app.storage import Storage

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Origin": "http://localhost"}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server where databases can be made. What is in the database of this URL stays untouched."""
    if TEST_DATABASE_URL is None:
        with local_postgres.throwaway() as server:
            server.run_sql("CREATE DATABASE test", "postgres")
            yield make_url(server.url).set(database="test").render_as_string(hide_password=False)
        return
    name = make_url(TEST_DATABASE_URL).database or ""
    if "test" not in name:
        pytest.exit(f'TEST_DATABASE_URL names the database "{name}": the name must contain "test"', returncode=1)
    yield TEST_DATABASE_URL


@pytest.fixture(scope="session")
def databases(backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    if backend == "sqlite":
        return SqliteFiles(tmp_path_factory.mktemp("databases"))
    return PostgresqlServer(request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="session")
def migrated_url(databases: Databases) -> Iterator[str]:
    """To copy from only: PostgreSQL copies no database that somebody is connected to."""
    url = databases.create()
    migrate(settings_for(url))
    yield url
    databases.drop(url)


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def own_url(databases: Databases, migrated_url: str) -> Iterator[str]:
    url = databases.create(template=migrated_url)
    yield url
    databases.drop(url)


@pytest.fixture
def own_settings(own_url: str) -> Settings:
    return settings_for(own_url)


@pytest.fixture
async def own_database(own_settings: Settings) -> AsyncIterator[Database]:
    database = Database.open(own_settings)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def settings(databases: Databases, migrated_url: str) -> Iterator[Settings]:
    url = databases.create(template=migrated_url)
    yield settings_for(url)
    databases.drop(url)


@pytest.fixture(scope="session")
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings)
    yield engine
    await engine.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        await transaction.rollback()


@pytest.fixture
def database(connection: AsyncConnection) -> Database:
    return Database(connection)


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """To arrange and to look: flush() before the client looks."""
    async with database.transaction() as session:
        yield session


@pytest.fixture(scope="session")
def bucket_url() -> Iterator[str]:
    """A bucket on a server of this machine's."""
    with s3_server() as url:
        yield url


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(SecretStr(str(tmp_path / "uploads")))


@pytest.fixture(scope="session")
def built_app(settings: Settings) -> FastAPI:
    """Once: to build it takes longer than most tests."""
    return create_app(settings)


@pytest.fixture
def app(built_app: FastAPI, database: Database, storage: Storage) -> Iterator[FastAPI]:
    """Its state may be changed. Who adds a route or a middleware takes own_app."""
    before = dict(built_app.state._state)
    built_app.state.database = database  # ASGITransport does not run the lifespan
    built_app.state.storage = storage
    yield built_app
    built_app.state._state.clear()
    built_app.state._state.update(before)


@pytest.fixture
def own_app(settings: Settings, database: Database, storage: Storage) -> FastAPI:
    app = create_app(settings)
    app.state.database = database
    app.state.storage = storage
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Like client, with what a browser says of itself; it keeps cookies and follows no redirect."""
    async with client_of(app) as client:
        client.headers.update(BROWSER)
        yield client


def client_of(app: FastAPI) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://localhost")


@pytest.fixture
def checkout(tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a clone holds, at a path with a space, with this environment and without a .env."""
    monkeypatch.setenv("TEST_DATABASE_URL", postgresql_url)  # its commands need no server of their own
    target = tmp_path / "a clone"
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(lambda name: (ROOT / name).exists(), listing.stdout.splitlines()):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target
