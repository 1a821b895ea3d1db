"""Moving much data outside of migrations: in batches with a pause, resumable, safe to run twice and from two machines.

A feature's ``backfills.py`` names them:

    async def fill_nickname(session: AsyncSession, after: UUID | None, limit: int) -> UUID | None:
        \"\"\"Change the next rows behind that key, and return the last key, or None when there are no more.\"\"\"

    BACKFILLS = {"fill-nickname": fill_nickname}
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, MetaData, String, Table, Uuid, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateTable

from app.db.session import Database

Backfill = Callable[[AsyncSession, UUID | None, int], Awaitable[UUID | None]]

BATCH = 2_000  # rows: writers wait for one batch at the most
PAUSE_SECONDS = 0.01

NAME = "backfill_progress"
progress = Table(
    NAME,
    MetaData(),
    Column("name", String(100), primary_key=True),
    Column("after", Uuid),
    Column("batches", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False),
)


@dataclass(frozen=True)
class Progress:
    batches: int
    finished: bool
    seconds: float


async def run(
    database: Database, name: str, backfill: Backfill, tell: Callable[[Progress], None], batch: int = BATCH
) -> Progress:
    """Go on from where the last run stopped, until there are no more rows.

    The place is kept in the transaction of each batch: a kill takes back both or neither. Two machines take turns.
    """
    started = time.monotonic()
    await _prepare(database, name)
    while True:
        async with database.transaction() as session:
            batches, finished = await _one_batch(session, name, backfill, batch)
        found = Progress(batches, finished, time.monotonic() - started)
        tell(found)
        if finished:
            return found
        await asyncio.sleep(PAUSE_SECONDS)


async def _prepare(database: Database, name: str) -> None:
    async with database.transaction() as session:
        connection = await session.connection()
        if connection.dialect.name == "postgresql":  # IF NOT EXISTS does not keep two from making it
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('backfill_progress'))"))
        await connection.execute(CreateTable(progress, if_not_exists=True))
        known = await connection.scalar(select(progress.c.name).where(progress.c.name == name))
        if known is None:
            await connection.execute(progress.insert().values(name=name, batches=0, finished=False))


async def _one_batch(session: AsyncSession, name: str, backfill: Backfill, batch: int) -> tuple[int, bool]:
    # FOR UPDATE: the other machine waits here, and goes on behind our batch. SQLite has taken its write lock.
    mine = select(progress.c.after, progress.c.batches, progress.c.finished).where(progress.c.name == name)
    after, batches, finished = (await session.execute(mine.with_for_update())).one()
    if finished:
        return batches, True
    last = await backfill(session, after, batch)
    values = {"batches": batches + 1, "finished": last is None, "after": last or after}
    await session.execute(update(progress).where(progress.c.name == name).values(values))
    return batches + 1, last is None
