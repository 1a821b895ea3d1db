"""Behind PgBouncer in transaction mode: right answers, and no prepared statement left."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from databases import migrate, settings_for
from servers import pgbouncer
from sqlalchemy import URL, text

from app.db import local_postgres
from app.db.diagnosis import Finding, examine
from app.db.engine import create_migration_engine
from app.db.local_postgres import LocalPostgres
from app.db.migrations import environment, revisions
from app.db.session import Database
from app.settings import ROOT

CONNECTIONS, PROCESSES, TRANSACTIONS = 4, 3, 500
TYPES = ("bigint", "double precision", "integer", "numeric")
Pooler = tuple[LocalPostgres, URL]


@pytest.fixture(scope="module")
def pooler() -> Iterator[Pooler]:
    with local_postgres.throwaway() as server, pgbouncer(server, connections=CONNECTIONS) as url:
        server.run_sql(
            "CREATE TABLE soak (id int PRIMARY KEY, amount int, word text, seen int DEFAULT 0);"
            "INSERT INTO soak SELECT n, n * 100, 'word ' || n FROM generate_series(0, 99) AS n"
        )
        yield server, url


def url_for(pooler: Pooler, driver: str) -> str:
    return pooler[1].set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_no_answer_is_wrong_while_a_column_changes(pooler: Pooler, driver: str) -> None:
    server, _ = pooler
    command = [sys.executable, "tests/live/soak.py", url_for(pooler, driver), str(TRANSACTIONS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    workers = [
        await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    finished = asyncio.gather(*(worker.communicate() for worker in workers))
    alterations = 0
    while not finished.done():
        kind = TYPES[alterations % len(TYPES)]
        await asyncio.to_thread(server.run_sql, f"ALTER TABLE soak ALTER amount TYPE {kind}")
        alterations += 1
        await asyncio.sleep(0.2)

    outcomes: Counter[str] = Counter()
    for output, errors in await finished:
        assert output, errors.decode()
        outcomes.update(json.loads(output))
    assert outcomes == {"right": PROCESSES * TRANSACTIONS}, errors.decode()
    assert alterations >= 3
    assert await prepared_statements(pooler, driver) == 0


async def prepared_statements(pooler: Pooler, driver: str) -> int:
    """On all of the pooler's connections, held at once."""
    database = Database.open(settings_for(url_for(pooler, driver), database_pooled="true"))
    together = asyncio.Barrier(CONNECTIONS)

    async def count() -> int:
        async with database.transaction() as session:
            # On psycopg the question itself is not prepared; on asyncpg it is unnamed, which is not listed.
            found = await session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
            await together.wait()
            return int(found or 0)

    counts = await asyncio.gather(*(count() for _ in range(CONNECTIONS)))
    await database.close()
    return sum(counts)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_the_limits_hold_behind_a_pooler(pooler: Pooler, driver: str) -> None:
    database = Database.open(settings_for(url_for(pooler, driver), database_pooled="true"))
    async with database.transaction() as session:
        assert await session.scalar(text("SHOW statement_timeout")) == "15s"
        assert await session.scalar(text("SHOW lock_timeout")) == "5s"
    await database.close()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "psycopg2", "pg8000"])
def test_migrations_run_through_a_pooler(pooler: Pooler, driver: str) -> None:
    server, url = pooler
    server.run_sql(f"CREATE DATABASE through_{driver}", "postgres")
    through = url.set(drivername=f"postgresql+{driver}", database=f"through_{driver}")
    settings = settings_for("sqlite://", migration_database_url=through.render_as_string(hide_password=False))
    migrate(settings)
    found = environment.on_engine(create_migration_engine(settings), revisions.current)
    assert found == revisions.heads()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_the_check_notices_a_pooler(pooler: Pooler, driver: str) -> None:
    def findings(url: str, pooled: str) -> dict[str, Finding]:
        found = examine(settings_for(url, database_pooled=pooled), workers=1)["service"]
        return {finding.name: finding for finding in found}

    through, direct = url_for(pooler, driver), pooler[0].url.replace("asyncpg", driver)
    unsaid = findings(through, "auto")["connects"]
    assert unsaid.fatal
    assert "DATABASE_POOLED=true" in unsaid.advice
    assert findings(through, "true")["pooler"].value == "yes, handled"
    assert findings(direct, "auto")["pooler"].value == "none"
    assert "is faster" in findings(direct, "true")["pooler"].advice
