"""What a client was told is stored is stored, whatever happens to the process or to its connections."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text
from things import Thing, make_table

from app.db.session import Database
from app.settings import ROOT, Settings

WRITERS = 8
ENOUGH = 100  # acknowledged writes before the fault


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "uvicorn", "writer:app", "--app-dir", "tests/db", "--port", str(port)]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting it is quick
        [*command, "--log-level", "error"], cwd=ROOT, env=environment,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(30):
            while True:
                try:
                    await client.get(f"{address}/health")
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    await asyncio.sleep(0.05)
        yield process, address
    finally:
        process.kill()
        process.wait()


async def write_until(address: str, acknowledged: set[UUID], stop: asyncio.Event) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        while not stop.is_set():
            thing_id = uuid4()
            try:
                response = await client.post(f"/written/{thing_id}")
            except httpx.TransportError:
                return
            if response.status_code == 201:
                acknowledged.add(thing_id)
            else:
                assert response.status_code == 503, response.text


async def reach(goal: int, acknowledged: set[UUID]) -> None:
    while len(acknowledged) < goal:  # noqa: ASYNC110 - the writers have no event for it
        await asyncio.sleep(0.01)


async def stored(database: Database) -> set[UUID]:
    async with database.transaction(read_only=True) as session:
        return set(await session.scalars(select(Thing.id)))


@pytest.fixture(autouse=True)
async def table(own_database: Database) -> None:
    async with own_database.transaction() as session:
        await make_table(session)


async def test_a_killed_process_has_stored_what_it_acknowledged(own_settings: Settings, own_database: Database) -> None:
    acknowledged: set[UUID] = set()
    async with serving(own_settings) as (process, address), asyncio.timeout(60), asyncio.TaskGroup() as writers:
        for _ in range(WRITERS):
            writers.create_task(write_until(address, acknowledged, asyncio.Event()))
        await reach(ENOUGH, acknowledged)
        process.send_signal(signal.SIGKILL)
    assert len(acknowledged) >= ENOUGH
    assert acknowledged <= await stored(own_database)


async def test_cut_connections_lose_nothing_and_heal(
    own_settings: Settings, own_database: Database, backend: str
) -> None:
    acknowledged: set[UUID] = set()
    stop = asyncio.Event()
    cut = 0
    async with serving(own_settings) as (_, address), asyncio.timeout(60), asyncio.TaskGroup() as writers:
        for _ in range(WRITERS):
            writers.create_task(write_until(address, acknowledged, stop))
        for goal in range(25, ENOUGH + 1, 25):
            await reach(goal, acknowledged)
            cut += await cut_connections(own_database, backend)
        stop.set()
    assert cut > 0
    assert acknowledged <= await stored(own_database)


async def cut_connections(database: Database, backend: str) -> int:
    """How many were there to cut."""
    if backend == "sqlite":  # has none: somebody else's long write is what comes closest
        async with database.transaction():
            await asyncio.sleep(0.1)
        return 1
    others = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with database.transaction() as session:
        found = await session.scalars(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {others}"))
        return sum(found)
