"""demo load and demo clear, on both databases."""

import asyncio
import re

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from app.cli.demo import app as demo
from app.cli.demo import rows
from app.cli.demo.rows import demo_tables
from app.db.base import Base
from app.db.session import Database
from app.features import DEMO, modules
from app.features.users.models import User
from app.settings import Settings

SAMPLES = sum(len(feature.samples()) for feature in modules("samples", DEMO))
WITH_MANY = [feature for feature in modules("samples", DEMO) if hasattr(feature, "many")]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k2-Zp8vQ1mXw7RtY4nBc6LhJ3fGd5SaE0uIoV9xK",
    "ALLOWED_HOSTS": "example.com",
}


@pytest.fixture(autouse=True)
def configured(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands use a migrated database."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATABASE_URL", own_settings.database_url.get_secret_value())


def invoke(command: str) -> Result:
    return CliRunner().invoke(demo, command.split())


def run(command: str) -> str:
    result = invoke(command)
    assert result.exit_code == 0, result.exception
    return result.output


def contents(settings: Settings) -> list[object]:
    """All rows of the demo, in the order of their keys."""
    return asyncio.run(_contents(settings))


async def _contents(settings: Settings) -> list[object]:
    database = Database.open(settings)
    try:
        async with database.transaction(read_only=True) as session:
            found = [await session.execute(select(table).order_by(table.c.id)) for table in demo_tables()]
            return [tuple(row) for result in found for row in result]
    finally:
        await database.close()


async def add(settings: Settings, row: Base) -> None:
    database = Database.open(settings)
    try:
        async with database.transaction() as session:
            session.add(row)
    finally:
        await database.close()


def test_every_load_brings_the_same_rows_with_the_same_keys(own_settings: Settings) -> None:
    run("load --rows 20")
    first = contents(own_settings)
    run("clear --yes")
    run("load --rows 20")
    assert contents(own_settings) == first
    assert len(first) == SAMPLES + 20 * len(WITH_MANY)


def test_another_seed_brings_others(own_settings: Settings) -> None:
    run("load --rows 20")
    first = contents(own_settings)
    run("clear --yes")
    run("load --rows 20 --seed 2")
    assert len(set(contents(own_settings)) & set(first)) == SAMPLES


def test_a_second_load_adds_nothing_and_says_what_is_there(own_settings: Settings) -> None:
    loaded = re.findall(r"loaded \d+ rows into (\w+)", run("load"))
    again = run("load")
    assert len(contents(own_settings)) == SAMPLES
    assert loaded
    assert all(f"{table} has" in again for table in loaded)


def test_many_rows_go_on_where_an_earlier_load_stopped(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH", 10)
    run("load --rows 25")
    some = contents(own_settings)
    run("load --rows 42")
    more = contents(own_settings)
    assert set(some) < set(more)
    assert len(more) == SAMPLES + 42 * len(WITH_MANY)
    assert "nothing to add" in run("load --rows 42")


def test_clear_deletes_the_demo_and_nothing_else(own_settings: Settings) -> None:
    asyncio.run(add(own_settings, User(email="ada@example.com", hashed_password="x")))
    run("load")
    refused = invoke("clear")
    assert "--yes" in str(refused.exception)
    assert len(contents(own_settings)) == SAMPLES
    assert f"deleted {SAMPLES} rows" in run("clear --yes")
    assert contents(own_settings) == []
    assert "empty" in run("clear")
    assert count_users(own_settings) == 1


def count_users(settings: Settings) -> int:
    async def count() -> int:
        database = Database.open(settings)
        try:
            async with database.transaction(read_only=True) as session:
                return len((await session.scalars(select(User))).all())
        finally:
            await database.close()

    return asyncio.run(count())


def test_production_wants_to_be_told_twice(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    assert "--yes" in str(invoke("load").exception)
    assert contents(own_settings) == []
    run("load --yes")
    assert "--yes" in str(invoke("clear").exception)
    assert len(contents(own_settings)) == SAMPLES
