"""Attempts are counted for all processes together where there is a Redis; without it nobody is shut out."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from databases import settings_for
from door import free_port
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from app.errors import TooManyRequests
from app.http.throttle import PER_ACCOUNT, PER_ADDRESS, Throttle
from app.observe.context import Actor, actor


@pytest.fixture
def redis() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here: apt-get install redis-server")
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    yield f"redis://127.0.0.1:{port}/0", server
    server.kill()
    server.wait()


async def test_processes_count_together(redis: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, server = redis
    both = [Throttle(settings_for("sqlite://", rate_limit_url=url)) for _ in range(2)]
    await wait_for_first_count(both[0])
    for number in range(PER_ACCOUNT.amount):
        await both[number % 2].attempt("log in", "ada@example.com")
    for each in both:
        with pytest.raises(TooManyRequests):
            await each.attempt("log in", "ada@example.com")
    await both[0].forgive("log in", "ada@example.com")
    await both[1].attempt("log in", "ada@example.com")

    server.kill()
    server.wait()
    for _ in range(PER_ACCOUNT.amount + 1):
        await both[0].attempt("log in", "ada@example.com")  # nobody is shut out because Redis is
    await both[0].forgive("log in", "ada@example.com")
    for each in both:
        storage = each._limiter.storage
        assert isinstance(storage, RedisStorage)
        await storage.bridge.storage.aclose()  # type: ignore[attr-defined] # redis-py, behind limits


async def wait_for_first_count(throttle: Throttle) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await throttle._limiter.hit(PER_ADDRESS, "until it is up")
            except StorageError:
                await asyncio.sleep(0.02)
            else:
                return


async def test_an_address_that_tries_many_accounts_is_stopped() -> None:
    throttle = Throttle(settings_for("sqlite://"))
    token = actor.set(Actor("anonymous", None, "192.0.2.1"))
    try:
        for number in range(PER_ADDRESS.amount):
            await throttle.attempt("log in", f"{number}@example.com")
        for _ in range(PER_ACCOUNT.amount + 1):  # which uses up nobody's attempts
            with pytest.raises(TooManyRequests):
                await throttle.attempt("log in", "another@example.com")
        actor.get().ip_address = "192.0.2.2"
        await throttle.attempt("log in", "another@example.com")
    finally:
        actor.reset(token)
