"""Rows to look at, from the features' samples.py: ``def samples() -> list[Model]``.

They are the same in every database: a key or a time that a row leaves out comes from its table and its number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Base
from app.db.session import Database
from app.db.types import UtcDateTime
from app.features import modules
from app.settings import Settings

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


async def load_samples(settings: Settings, features: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Rows loaded by table, and rows found: where there are any, none is loaded."""
    modules("models")  # what is written here is recorded there
    database = Database.open(settings)
    try:
        async with database.transaction() as session:
            if not settings.database.is_sqlite:  # SQLite's write lock is held already
                await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('samples'))"))
            rows = [row for feature in modules("samples", features) for row in _complete(feature.samples())]
            found = await count_rows(session, dict.fromkeys(table_of(row) for row in rows))
            if found:
                return Counter(), found
            session.add_all(rows)
        return Counter(table_of(row).name for row in rows), found
    finally:
        await database.close()


async def count_rows(session: AsyncSession, tables: Iterable[Table]) -> Counter[str]:
    """By table; those without rows are left out."""
    found = {table.name: await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    return +Counter(found)


def left_to_chance(table: Table, given: Iterable[str], number: int) -> Iterator[tuple[str, Any]]:  # Any: its type's
    """Values for the times that the model would take from the clock."""
    for column in table.columns:
        if column.name not in given and column.default is not None and isinstance(column.type, UtcDateTime):
            yield column.name, FIRST + timedelta(seconds=number)


def table_of(row: Base) -> Table:
    table = row.__table__
    assert isinstance(table, Table)
    return table


def _complete(rows: list[Base]) -> list[Base]:
    for number, row in enumerate(rows):
        table = table_of(row)
        given = [column.name for column in table.columns if getattr(row, column.name) is not None]
        for name, value in left_to_chance(table, given, number):
            setattr(row, name, value)
        row.id = row.id or uuid5(NAMESPACE_OID, f"{table.name} {number}")
    return rows
