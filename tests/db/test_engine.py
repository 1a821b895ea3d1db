"""The promises of engine.py and session.py, on real databases."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import client_of
from databases import settings_for
from pydantic import ValidationError
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from things import Thing, make_table

from app.db.engine import create_engine
from app.db.errors import DatabaseUnavailable
from app.db.session import Database
from app.db.url import DatabaseUrlError
from app.errors import failures
from app.features.audit_logs.models import AuditLog
from app.http.dependencies import Session
from app.main import create_app, lifespan
from app.settings import Settings


@pytest.fixture
async def things(own_database: Database) -> Database:
    """With a table to write to."""
    async with own_database.transaction() as session:
        await make_table(session)
    return own_database


async def count(database: Database) -> int:
    async with database.transaction(read_only=True) as session:
        return await session.scalar(select(func.count()).select_from(Thing)) or 0


async def test_a_commit_that_fails_is_not_acknowledged(own_settings: Settings, own_database: Database) -> None:
    """With FastAPI's default scope for a dependency the client would get 201 for a row that is not there."""
    async with own_database.transaction() as session:
        await session.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        column = "INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED"
        await session.execute(text(f"CREATE TABLE children (parent_id {column})"))
    app = create_app(own_settings)
    app.state.database = own_database

    @app.post("/children", status_code=201)
    async def create_child(session: Session) -> None:
        await session.execute(text("INSERT INTO children VALUES (1)"))  # refused at the commit only

    async with client_of(app) as client:
        response = await client.post("/children")
    assert response.status_code == 500


async def test_an_error_in_a_route_rolls_back(own_settings: Settings, things: Database) -> None:
    app = create_app(own_settings)
    app.state.database = things

    @app.post("/things")
    async def create_thing(session: Session) -> None:
        session.add(Thing(name="Lamp"))
        await session.flush()
        raise RuntimeError

    async with client_of(app) as client:
        await client.post("/things")
    assert await count(things) == 0


async def test_the_lifespan_makes_one_engine_and_disposes_it(own_settings: Settings, things: Database) -> None:
    app = create_app(own_settings)
    async with lifespan(app):
        database: Database = app.state.database
        assert await count(database) == 0
        assert isinstance(database.bind, AsyncEngine)
        pool = database.bind.pool
    assert database.bind.pool is not pool  # dispose() replaces it


async def test_a_savepoint_takes_back_only_its_own(things: Database) -> None:
    async with things.transaction() as session:
        session.add(Thing(name="kept"))
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                session.add(Thing(name="refused", number=-1))
                await session.flush()
    assert await count(things) == 1


async def test_ddl_is_rolled_back(own_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with own_database.transaction() as session:
            await session.execute(text("CREATE TABLE half_done (id INTEGER)"))
            raise ZeroDivisionError
    async with own_database.transaction() as session:
        await session.execute(text("CREATE TABLE half_done (id INTEGER)"))


async def test_foreign_keys_hold(session: AsyncSession) -> None:
    session.add(AuditLog(user_id=uuid4(), action="create", model_name="Thing"))
    with pytest.raises(IntegrityError):
        await session.flush()
    await session.rollback()


async def test_writers_that_read_first_lose_no_update(things: Database) -> None:
    async with things.transaction() as session:
        thing = Thing(name="counter", number=0)
        session.add(thing)

    async def count_one() -> None:
        async with things.transaction() as session:
            # FOR UPDATE means nothing to SQLite, which has taken its write lock by then.
            found = await session.get_one(Thing, thing.id, with_for_update=True)
            await asyncio.sleep(0)
            found.number += 1

    await asyncio.gather(*(count_one() for _ in range(40)))
    async with things.transaction() as session:
        assert (await session.get_one(Thing, thing.id)).number == 40


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "x" * 201},
        {"name": "a\0b"},
        {"name": "half \ud83d"},
        {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive is the point
    ],
)
async def test_both_databases_refuse_the_same_values(session: AsyncSession, broken: dict[str, object]) -> None:
    await make_table(session)
    session.add(Thing(**{"name": "Lamp", **broken}))
    with pytest.raises(StatementError):
        await session.flush()
    await session.rollback()


async def test_a_time_comes_back_as_the_same_instant_in_utc(session: AsyncSession) -> None:
    moment = datetime(2026, 7, 1, 23, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    await make_table(session)
    thing = Thing(name="Lamp", created_at=moment)
    session.add(thing)
    await session.flush()
    await session.refresh(thing)
    assert thing.created_at == moment
    assert thing.created_at.tzinfo is UTC


async def test_the_pool_is_bounded_and_waiting_for_it_ends(own_settings: Settings) -> None:
    narrow = settings_for(
        own_settings.database_url.get_secret_value(), database_pool_size=1, database_pool_timeout_seconds=0.1
    )
    database = Database.open(narrow)
    async with database.transaction(read_only=True):
        with pytest.raises(DatabaseUnavailable, match="busy"):
            await count(database)
    await database.close()


async def test_a_database_that_is_missing_is_one_line(own_settings: Settings, backend: str) -> None:
    url = own_settings.database_url.get_secret_value()
    away = {"sqlite": "sqlite:////nowhere/at/all.db", "postgresql": f"{url}_which_is_not_there"}[backend]
    database = Database.open(settings_for(away))
    with pytest.raises(DatabaseUnavailable) as caught:
        await count(database)
    await database.close()
    assert "\n" not in str(caught.value)
    assert {"sqlite": "folder", "postgresql": "no database of that name"}[backend] in str(caught.value)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
async def test_sqlite_is_set_up_for_a_service(own_database: Database) -> None:
    async with own_database.transaction() as session:
        pragmas = {
            name: await session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": 2}


async def test_a_file_of_another_journal_mode_is_waited_for_while_somebody_writes(tmp_path: Path) -> None:
    """A new file that several processes open at once; one that sqlite3 or another program made, and writes to."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as writer:
        writer.execute("CREATE TABLE records (id INTEGER)")
        writer.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, writer.commit)
        release.start()
        database = Database.open(settings_for(f"sqlite:///{path}"))
        async with database.transaction() as session:
            assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
        await database.close()
        release.join()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
async def test_postgresql_ends_what_takes_too_long(own_database: Database) -> None:
    async with own_database.transaction() as session:
        settings = {
            name: await session.scalar(text(f"SHOW {name}"))
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
        }
    assert settings == {
        "statement_timeout": "15s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "timezone": "UTC",
    }


async def test_failures_are_counted_by_kind() -> None:
    before = failures.copy()
    with pytest.raises(DatabaseUrlError):
        create_engine(settings_for("postgresql://u:p@h/d?sslrootcert=/nowhere.pem"))
    with pytest.raises(ValidationError):
        settings_for("mysql://u:p@h/d")
    database = Database.open(settings_for("postgresql://u:p@127.0.0.1:1/d"))
    with pytest.raises(DatabaseUnavailable):
        await count(database)
    await database.close()
    more = {kind: number - before[kind] for kind, number in failures.items() if number > before[kind]}
    assert more == {"url_format": 1, "tls": 1, "refused": 1}
