"""Much data in batches: resumable after a kill, safe twice and from two machines."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.migrations import backfill
from app.db.migrations.backfill import Progress
from app.db.session import Database
from app.features.users.models import User
from app.settings import Settings

ROWS = 500

SOURCE = """
import asyncio
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.users.models import User


async def count_up(session: AsyncSession, after: UUID | None, limit: int) -> UUID | None:
    statement = select(User).order_by(User.id).limit(limit)
    users = list(await session.scalars(statement.where(User.id > after) if after else statement))
    for user in users:
        user.group = str(int(user.group or 0) + 1)
    await asyncio.sleep(0.02)
    return users[-1].id if users else None


BACKFILLS = {"count-up": count_up}
"""
namespace: dict[str, object] = {}
exec(SOURCE, namespace)
count_up: backfill.Backfill = namespace["count_up"]  # type: ignore[assignment]


@pytest.fixture
async def users(own_database: Database) -> None:
    async with own_database.transaction() as session:
        session.add_all([User(email=f"{number}@example.com", hashed_password="x") for number in range(ROWS)])


async def groups(database: Database) -> dict[str | None, int]:
    async with database.transaction(read_only=True) as session:
        found = await session.execute(select(User.group, func.count()).group_by(User.group))
        return {row[0]: row[1] for row in found}


def ignore(_: Progress) -> None: ...


async def test_each_row_is_changed_once_however_often_it_runs(users: None, own_database: Database) -> None:
    first = await backfill.run(own_database, "count-up", count_up, ignore, batch=100)
    again = await backfill.run(own_database, "count-up", count_up, ignore, batch=100)
    assert await groups(own_database) == {"1": ROWS}
    assert (first.batches, again.batches, again.finished) == (6, 6, True)


async def test_two_machines_share_the_work(users: None, own_settings: Settings, own_database: Database) -> None:
    other = Database.open(own_settings)
    runs = [backfill.run(database, "count-up", count_up, ignore, batch=50) for database in (own_database, other)]
    await asyncio.gather(*runs)
    await other.close()
    assert await groups(own_database) == {"1": ROWS}


async def test_a_batch_that_fails_is_done_again(users: None, own_database: Database) -> None:
    calls = 0

    async def fails_once(session: AsyncSession, after: UUID | None, limit: int) -> UUID | None:
        nonlocal calls
        calls += 1
        last = await count_up(session, after, limit)
        await session.flush()
        if calls == 3:
            raise ConnectionAbortedError
        return last

    with pytest.raises(ConnectionAbortedError):
        await backfill.run(own_database, "count-up", fails_once, ignore, batch=100)
    assert await groups(own_database) == {"1": 200, None: 300}
    await backfill.run(own_database, "count-up", fails_once, ignore, batch=100)
    assert await groups(own_database) == {"1": ROWS}


def start(checkout: Path, settings: Settings) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(checkout / "oppman.py"), "migrate", "backfill", "count-up", "--batch", "20"]
    environment = {**os.environ, "DATABASE_URL": settings.database_url.get_secret_value()}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


async def test_a_kill_is_made_good_by_the_next_run(
    users: None, checkout: Path, own_settings: Settings, own_database: Database
) -> None:
    (checkout / "app/features/users/backfills.py").write_text(SOURCE)
    process = start(checkout, own_settings)
    deadline = time.monotonic() + 20
    while (await groups(own_database)).get("1", 0) < 60:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < (await groups(own_database)).get(None, 0) < ROWS
    assert start(checkout, own_settings).wait() == 0
    assert await groups(own_database) == {"1": ROWS}
