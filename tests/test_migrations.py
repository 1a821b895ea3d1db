"""The revisions that ship, on both databases, through Alembic as everybody calls it."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from alembic import command
from alembic.config import Config
from anyio import to_thread
from databases import settings_for
from sqlalchemy import Inspector, inspect, text

from app.db import migrations
from app.db.engine import create_engine
from app.db.session import Database
from app.settings import ROOT, Settings

Found = TypeVar("Found")

TABLES = {"alembic_version", "audit_logs", "posts", "products", "users", "webinar_registrants"}


@pytest.fixture
def empty_settings(empty_url: str) -> Settings:
    return settings_for(empty_url)


async def alembic(settings: Settings, run: Callable[..., object], *arguments: str, **options: object) -> str:
    output = io.StringIO()
    config = Config(ROOT / "alembic.ini", stdout=output, output_buffer=output)
    config.attributes["settings"] = settings
    await to_thread.run_sync(lambda: run(config, *arguments, **options))
    return output.getvalue()


async def tables(settings: Settings) -> set[str]:
    return await look(settings, lambda inspector: set(inspector.get_table_names()))


async def look(settings: Settings, ask: Callable[[Inspector], Found]) -> Found:
    database = Database(create_engine(settings))
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
    assert await tables(empty_settings) == {"alembic_version"}
    await alembic(empty_settings, command.upgrade, "head")
    assert await tables(empty_settings) == TABLES


async def test_models_and_schema_agree(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    await alembic(empty_settings, command.check)


async def test_a_model_that_changed_is_noticed(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "head")
    database = Database(create_engine(empty_settings))
    async with database.transaction() as session:
        await session.execute(text("DROP INDEX ix_products_category"))
    await database.close()
    with pytest.raises(Exception, match="ix_products_category"):
        await alembic(empty_settings, command.check)


async def test_likes_come_to_posts_that_were_there(empty_settings: Settings) -> None:
    await alembic(empty_settings, command.upgrade, "a5e3916cd8f0")
    database = Database(create_engine(empty_settings))
    async with database.transaction() as session:
        insert = text("INSERT INTO posts (id, title, body, author, created_at) VALUES (:id, 'T', 'B', 'A', :at)")
        at = datetime.now(UTC)
        is_sqlite = empty_settings.database.is_sqlite
        for number in range(3):
            row_id = f"{number:032x}"
            await session.execute(insert, {"id": row_id, "at": str(at) if is_sqlite else at})
    await alembic(empty_settings, command.upgrade, "7b1f4c02ea95")
    async with database.transaction() as session:
        assert list(await session.scalars(text("SELECT likes FROM posts"))) == [0, 0, 0]
    await alembic(empty_settings, command.downgrade, "a5e3916cd8f0")
    async with database.transaction() as session:
        assert len((await session.execute(text("SELECT * FROM posts"))).all()) == 3
    await database.close()


async def test_offline_sql_is_the_whole_way(empty_settings: Settings) -> None:
    sql = await alembic(empty_settings, command.upgrade, "head", sql=True)
    for table in TABLES:
        assert f"CREATE TABLE {table} (" in sql
    assert await tables(empty_settings) == set()


async def test_a_percent_sign_in_the_password_is_no_problem(empty_settings: Settings) -> None:
    """Alembic's set_main_option would fail, and print the password."""
    url = "postgresql://user:50%25%40canary@127.0.0.1:1/name"
    with pytest.raises(Exception, match="away") as caught:
        await alembic(settings_for(url), command.upgrade, "head")
    assert "canary" not in str(caught.value)


def test_there_is_one_head() -> None:
    assert len(migrations.heads()) == 1
