"""The revisions that ship, on both databases, through Alembic as everybody calls it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.script import Script
from anyio import to_thread
from databases import alembic, settings_for
from sqlalchemy import Inspector, inspect, text

from app.db.base import Base
from app.db.migrations import environment, journal, losses, revisions
from app.db.session import Database
from app.features import modules
from app.features.users.models import User
from app.settings import Settings

Found = TypeVar("Found")

modules("models")
TABLES = {*Base.metadata.tables, "alembic_version", "migration_log"}


@pytest.fixture
def empty_settings(empty_url: str) -> Settings:
    return settings_for(empty_url)


async def tables(settings: Settings) -> set[str]:
    return await look(settings, lambda inspector: set(inspector.get_table_names()))


async def look(settings: Settings, ask: Callable[[Inspector], Found]) -> Found:
    database = Database.open(settings)
    async with database.transaction(read_only=True) as session:
        connection = await session.connection()
        found = await connection.run_sync(lambda sync: ask(inspect(sync)))
    await database.close()
    return found


async def test_upgrade_makes_the_tables_and_a_second_one_changes_nothing(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    made = await look(empty_settings, lambda inspector: inspector.get_multi_columns())
    await alembic(empty_settings, command.upgrade, "head")
    assert await tables(empty_settings) == TABLES
    assert str(await look(empty_settings, lambda inspector: inspector.get_multi_columns())) == str(made)


async def test_down_to_nothing_and_up_again(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    await alembic(empty_settings, command.downgrade, "base")
    assert await tables(empty_settings) == {"alembic_version", "migration_log"}
    await alembic(empty_settings, command.upgrade, "head")
    assert await tables(empty_settings) == TABLES


async def test_models_and_schema_agree(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    await alembic(empty_settings, command.check)


async def test_a_model_that_changed_is_noticed(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    database = Database.open(empty_settings)
    async with database.transaction() as session:
        await session.execute(text("DROP INDEX ix_audit_logs_timestamp"))
    await database.close()
    with pytest.raises(Exception, match="ix_audit_logs_timestamp"):
        await alembic(empty_settings, command.check)


async def test_offline_sql_is_the_whole_way(empty_settings: Settings) -> None:
    sql = await alembic(empty_settings, command.upgrade, "head", sql=True)
    for table in TABLES:
        assert f"{table} (" in sql
    assert await tables(empty_settings) == set()


async def test_a_percent_sign_in_the_password_is_no_problem(empty_settings: Settings) -> None:
    """Alembic's set_main_option would fail, and print the password."""
    url = "postgresql://user:50%25%40canary@127.0.0.1:1/name"
    with pytest.raises(Exception, match="away") as caught:
        await alembic(settings_for(url), command.upgrade, "head")
    assert "canary" not in str(caught.value)


def test_there_is_one_head() -> None:
    assert len(revisions.heads()) == 1


async def test_a_downgrade_names_the_data_that_goes(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")

    def lost(revision: str) -> list[str]:
        return environment.on_connection(empty_settings, partial(losses.of_downgrade, revision))

    assert await to_thread.run_sync(lost, "base") == []
    database = Database.open(empty_settings)
    async with database.transaction() as session:
        session.add(User(email="ada@example.com", hashed_password="x"))
    await database.close()
    named = await to_thread.run_sync(lost, "base")
    assert {"table users with 1 rows", "table audit_logs with 1 rows"} <= set(named)


def whole_file_hash(script: Script) -> str:
    """As the first version of migration_log has it."""
    return sha256(Path(script.path).read_bytes()).hexdigest()


async def test_a_hash_of_the_whole_file_is_known_and_another_is_not(own_database: Database) -> None:
    script = revisions.history()[0]
    whole = whole_file_hash(script)
    assert whole != revisions.file_hash(script)
    record = text("UPDATE migration_log SET file_hash = :hash WHERE revision = :revision")
    async with own_database.transaction() as session:
        connection = await session.connection()
        await session.execute(record, {"hash": whole, "revision": script.revision})
        await connection.run_sync(journal.require_unedited_files)
        await session.execute(record, {"hash": "0" * 64, "revision": script.revision})
        with pytest.raises(journal.BrokenState, match=script.revision):
            await connection.run_sync(journal.require_unedited_files)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
async def test_looking_takes_no_lock_from_a_writer(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    with closing(sqlite3.connect(str(empty_settings.database.url.database), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert "(head)" in await alembic(empty_settings, command.current)
        await alembic(empty_settings, command.check)
