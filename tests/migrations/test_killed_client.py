"""What a killed deployer has asked of PostgreSQL does not happen later."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployers import migrate, start, wait_until
from history import add_revision
from servers import pgbouncer
from sqlalchemy import create_engine, make_url, text

from app.db import local_postgres
from app.db.local_postgres import LocalPostgres
from app.db.migrations import revisions
from app.db.migrations.environment import NOTICE_KILLED_CLIENT

pytestmark = pytest.mark.slow

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%'"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with local_postgres.throwaway() as found:
        yield found


@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "pooled"])
def test_an_alter_that_waits_goes_with_its_client(checkout: Path, server: LocalPostgres, pooled: bool) -> None:
    server.run_sql("DROP DATABASE IF EXISTS deployed WITH (FORCE)", "postgres")
    server.run_sql("CREATE DATABASE deployed", "postgres")
    direct = make_url(server.url).set(database="deployed")
    assert migrate(checkout, direct.render_as_string(hide_password=False), "upgrade")[0] == 0
    change = 'op.add_column("users", sa.Column("late", sa.Integer()))'
    add_revision(checkout, "late", max(revisions.heads()), change)
    reader = create_engine(direct.set(drivername="postgresql+psycopg"))
    with pgbouncer(server, connections=5) as front, reader.connect() as reading:
        reading.execute(text("SELECT count(*) FROM users"))
        url = (front if pooled else direct).set(database="deployed").render_as_string(hide_password=False)
        process = start(checkout, url, "upgrade", "--lock-timeout", "600")
        wait_until(lambda: server.run_sql(f"{WAITING} AND wait_event_type = 'Lock'") == "1")
        process.kill()
        process.communicate()
        wait_until(lambda: server.run_sql(WAITING) == "0")
        reading.rollback()
    reader.dispose()
    late = "SELECT count(*) FROM pg_attribute WHERE attname = 'late'"
    assert server.run_sql(late, "deployed") == "0"


@pytest.mark.parametrize("refused", ["no_such_setting = 2000", "client_connection_check_interval = -1"])
def test_a_server_that_does_not_know_the_setting_goes_on(server: LocalPostgres, refused: str) -> None:
    setting = "client_connection_check_interval = 2000"
    assert setting in NOTICE_KILLED_CLIENT
    said = server.run_sql(f"BEGIN; {NOTICE_KILLED_CLIENT.replace(setting, refused)}; SELECT 'goes on'")
    assert said.endswith("goes on")
