"""The rows in the demo's tables: as many as are wanted, or none."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, func, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.samples import count_rows, left_to_chance
from app.db.base import Base
from app.db.session import Database
from app.errors import UserError
from app.features import DEMO, modules
from app.settings import Settings

BATCH = 5_000  # rows in memory, and in a transaction: another writer waits for one batch at the most


def demo_tables() -> list[Table]:
    """Parents first."""
    modules("models")
    homes = tuple(f"app.features.{feature}." for feature in DEMO)
    ours = {mapper.local_table for mapper in Base.registry.mappers if mapper.class_.__module__.startswith(homes)}
    return [table for table in Base.metadata.sorted_tables if table in ours]


def count_in(connection: Connection) -> dict[str, int]:
    """Rows by table, of those of the demo's that are there."""
    there = set(inspect(connection).get_table_names())
    tables = [table for table in demo_tables() if table.name in there]
    return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


async def load_many(settings: Settings, rows: int, seed: int, tell: Callable[[str, int], None]) -> Counter[str]:
    """Rows added by table. What an earlier run with this seed has added, as far as it came, is not added again."""
    database = Database.open(settings)
    try:
        async with database.transaction(read_only=True) as session:
            before = await count_rows(session, demo_tables())
        for feature in modules("samples", DEMO):
            if hasattr(feature, "many"):
                await _load_feature(database, feature, rows, seed, tell)
        async with database.transaction(read_only=True) as session:
            return await count_rows(session, demo_tables()) - before
    finally:
        await database.close()


async def _load_feature(
    database: Database, feature: ModuleType, rows: int, seed: int, tell: Callable[[str, int], None]
) -> None:
    table = Base.metadata.tables[feature.__name__.split(".")[-2]]
    for start in range(0, rows, BATCH):
        batch = list(_batch(feature, table, seed, start, min(BATCH, rows - start)))
        async with database.transaction() as session:
            await _insert(session, table, batch)
        tell(table.name, start + len(batch))


def _batch(
    feature: ModuleType, table: Table, seed: int, start: int, count: int
) -> Iterator[dict[str, Any]]:  # Any: values of the columns' types
    origin = f"{seed} {table.name} {start}"
    keys = Random(f"{origin} keys")  # noqa: S311 - to be repeatable is the point
    rows = feature.many(Random(origin), start, count)  # noqa: S311
    for number, row in enumerate(rows, start):
        yield {"id": UUID(int=keys.getrandbits(128), version=4), **row, **dict(left_to_chance(table, row, number))}


async def _insert(session: AsyncSession, table: Table, rows: list[dict[str, Any]]) -> None:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(table)
    await session.execute(insert.on_conflict_do_nothing().execution_options(audit="demo load"), rows)


async def clear_demo(settings: Settings) -> None:
    """Delete what the demo's tables hold.

    Errors: UserError where a table that stays refers to one of them, because its rows might go along.
    """
    tables = demo_tables()
    for table in set(Base.metadata.tables.values()) - set(tables):
        for key in table.foreign_keys:
            if key.column.table in tables:
                raise UserError(
                    f"{table.name} refers to {key.column.table.name}: delete its rows and the reference first"
                )
    database = Database.open(settings)
    try:
        async with database.transaction() as session:
            for table in reversed(tables):
                await session.execute(table.delete().execution_options(audit="demo clear"))
    finally:
        await database.close()
