"""Moving much data outside of migrations: in batches with a pause, resumable, safe to run twice and from two machines.

A feature's ``backfills.py`` names them:

    async def fill_nickname(session: AsyncSession, after: UUID | None, limit: int) -> UUID | None:
        \"\"\"Change the next rows behind that key, as many as limit says. Returns the last key; None: no more.\"\"\"

    BACKFILLS = {"fill-nickname": fill_nickname}

Keys are random, so a key says how much is done: no row is counted for it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
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
class Place:
    after: UUID | None
    batches: int
    finished: bool

    @property
    def share(self) -> float:
        return 1 if self.finished else self.after.int / 2**128 if self.after else 0


@dataclass(frozen=True)
class Progress:
    batches: int  # of all runs
    finished: bool
    seconds: float  # of this run, as what follows
    share: float  # of the rows, by the last key; all runs
    rows_per_second: float
    seconds_left: float | None  # None before the first batch


async def run(
    database: Database, name: str, backfill: Backfill, tell: Callable[[Progress], None], batch: int = BATCH
) -> Progress:
    """Go on from where the last run stopped, until there are no more rows.

    The place is kept in the transaction of each batch: a kill takes back both or neither. Two machines take turns.
    """
    started = time.monotonic()
    first = place = await _prepare(database, name)
    while True:
        seconds = time.monotonic() - started
        tell(found := _progress(first, place, seconds, batch))
        if place.finished:
            return found
        async with database.transaction() as session:
            place = await _one_batch(session, name, backfill, batch)
        await asyncio.sleep(PAUSE_SECONDS)


def _progress(first: Place, place: Place, seconds: float, batch: int) -> Progress:
    gained = place.share - first.share
    return Progress(
        batches=place.batches,
        finished=place.finished,
        seconds=seconds,
        share=place.share,
        rows_per_second=(place.batches - first.batches) * batch / seconds,
        seconds_left=seconds * (1 - place.share) / gained if gained else None,
    )


async def _prepare(database: Database, name: str) -> Place:
    async with database.transaction() as session:
        connection = await session.connection()
        if connection.dialect.name == "postgresql":  # IF NOT EXISTS does not keep two from making it
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('backfill_progress'))"))
        await connection.execute(CreateTable(progress, if_not_exists=True))
        known = await connection.scalar(select(progress.c.name).where(progress.c.name == name))
        if known is None:
            await connection.execute(progress.insert().values(name=name, batches=0, finished=False))
        return await _place(session, name)


async def _one_batch(session: AsyncSession, name: str, backfill: Backfill, batch: int) -> Place:
    place = await _place(session, name)
    if place.finished:
        return place
    last = await backfill(session, place.after, batch)
    place = Place(last or place.after, place.batches + 1, last is None)
    await session.execute(update(progress).where(progress.c.name == name).values(asdict(place)))
    return place


async def _place(session: AsyncSession, name: str) -> Place:
    mine = select(progress.c.after, progress.c.batches, progress.c.finished).where(progress.c.name == name)
    # FOR UPDATE: the other machine waits here, and goes on behind our batch. SQLite has taken its write lock.
    return Place(*(await session.execute(mine.with_for_update())).one())
