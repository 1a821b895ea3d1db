"""Much data in batches: resumable after a kill, safe twice and from two machines."""

import asyncio
import os
import re
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


async def test_the_progress_is_that_of_the_rows(users: None, own_database: Database) -> None:
    """Keys are random: 0.12 is more than five standard deviations of the 200th of 500."""
    told: list[Progress] = []

    class StoppedError(Exception): ...

    def stop_after_two(found: Progress) -> None:
        told.append(found)
        if found.batches == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        await backfill.run(own_database, "count-up", count_up, stop_after_two, batch=100)
    await backfill.run(own_database, "count-up", count_up, told.append, batch=100)

    assert [found.batches for found in told] == [0, 1, 2, 2, 3, 4, 5, 6]
    assert told[3].share == told[2].share
    assert [found.share for found in told] == pytest.approx([0, 0.2, 0.4, 0.4, 0.6, 0.8, 1, 1], abs=0.12)
    assert [found.seconds_left is None for found in told] == [True, False, False, True, *[False] * 4]
    third = told[4]  # one batch of this run: two more are to come
    assert third.rows_per_second == pytest.approx(100 / third.seconds)
    assert third.seconds_left == pytest.approx(2 * third.seconds, rel=0.8)
    assert told[-1].seconds_left == 0


def start(checkout: Path, settings: Settings, errors: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    command = [sys.executable, str(checkout / "oppman.py"), "migrate", "backfill", "count-up", "--batch", "20"]
    environment = {**os.environ, "DATABASE_URL": settings.database_url.get_secret_value()}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
async def test_on_a_terminal_there_is_a_bar(users: None, checkout: Path, own_settings: Settings) -> None:
    (checkout / "app/features/users/backfills.py").write_text(SOURCE)
    reader, writer = os.openpty()
    process = start(checkout, own_settings, writer)
    process.wait()
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    lines = [line.strip() for line in shown.split("\r") if line.strip()]
    assert lines[0] == f"[{' ' * 30}]   0%"
    assert len(lines) == ROWS / 20 + 2
    assert re.fullmatch(r"\[#{3,} *] +\d\d%  \d+ rows/s  0:00:0\d left", lines[10]), lines[10]
    assert lines[-1].startswith(f"[{'#' * 30}] 100%")


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
    process.communicate()
    assert 0 < (await groups(own_database)).get(None, 0) < ROWS
    again = start(checkout, own_settings)
    _, said = again.communicate()
    assert again.returncode == 0
    [share] = re.findall(r"(\d+)%", said)  # it takes less than five seconds: one line
    assert 0 < int(share) < 100
    assert await groups(own_database) == {"1": ROWS}
