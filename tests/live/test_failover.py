"""Several hosts in one URL: the right one is found, and one that hangs hides none."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from databases import settings_for
from servers import postgresql_with_tls, standby_of
from sqlalchemy import make_url, text

from app.db.diagnosis import examine
from app.db.errors import DatabaseUnavailable
from app.db.local_postgres import LocalPostgres
from app.db.session import Database
from app.settings import Settings

Pair = tuple[LocalPostgres, LocalPostgres]


@contextmanager
def primary_and_standby() -> Iterator[Pair]:
    with postgresql_with_tls() as (primary, _):
        primary.run_sql("CREATE TABLE kept (id int PRIMARY KEY)")
        with standby_of(primary) as standby:
            yield primary, standby


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with primary_and_standby() as found:
        yield found


@pytest.fixture
def doomed_pair() -> Iterator[Pair]:
    with primary_and_standby() as found:
        yield found


def port(server: LocalPostgres) -> int:
    return make_url(server.url).port or 0


def settings_of(pair: Pair, driver: str, ports: list[int], wanted: str) -> Settings:
    password = make_url(pair[0].url).password
    hosts = ",".join(f"127.0.0.1:{number}" for number in ports)
    return settings_for(
        f"postgresql+{driver}://fastopp:{password}@{hosts}/fastopp?target_session_attrs={wanted}",
        database_connect_timeout_seconds=1,
        database_statement_timeout_seconds=1,
        database_pool_size=2,
    )


async def port_reached(settings: Settings) -> int:
    database = Database.open(settings)
    try:
        async with database.transaction(read_only=True) as session:
            return int(await session.scalar(text("SELECT inet_server_port()")) or 0)
    finally:
        await database.close()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_the_host_of_the_wanted_kind_is_found(pair: Pair, driver: str) -> None:
    primary, standby = port(pair[0]), port(pair[1])
    assert await port_reached(settings_of(pair, driver, [standby, primary], "read-write")) == primary
    assert await port_reached(settings_of(pair, driver, [primary, standby], "prefer-standby")) == standby
    assert await port_reached(settings_of(pair, driver, [primary], "prefer-standby")) == primary
    with pytest.raises(DatabaseUnavailable):
        await port_reached(settings_of(pair, driver, [standby], "read-write"))

    with socket.socket() as silent:  # takes connections, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ports = [silent.getsockname()[1], 1, standby, primary]
        assert await port_reached(settings_of(pair, driver, ports, "read-write")) == primary


def test_a_standby_alone_is_named_by_the_check(pair: Pair) -> None:
    findings = {finding.name: finding for finding in examine(settings_for(pair[1].url), workers=1)["service"]}
    assert findings["role"].value == "standby"
    assert findings["role"].fatal


@pytest.mark.slow
async def test_a_primary_that_hangs_is_left_for_its_promoted_standby(doomed_pair: Pair) -> None:
    primary, standby = doomed_pair
    database = Database.open(settings_of(doomed_pair, "asyncpg", [port(primary), port(standby)], "read-write"))
    async with database.transaction() as session:
        await session.execute(text("INSERT INTO kept VALUES (1)"))
    wait_until(lambda: standby.run_sql("SELECT count(*) FROM kept") == "1")

    stopped = processes_of(primary)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        standby.run_sql("SELECT pg_promote()")
        deadline = time.monotonic() + 30
        while True:
            try:
                async with database.transaction() as session:
                    await session.execute(text("INSERT INTO kept VALUES (2)"))
                break
            except DatabaseUnavailable:
                assert time.monotonic() < deadline
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    await database.close()
    assert standby.run_sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM kept") == "1,2"


def processes_of(server: LocalPostgres) -> list[int]:
    postmaster = int((server.folder / "data/postmaster.pid").read_text().split()[0])
    children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False).stdout
    return [postmaster, *(int(pid) for pid in children.split())]


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)
