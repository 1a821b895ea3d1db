"""Several deployers, kills in the middle, slow readers: through oppman.py, from outside, on both databases."""

import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from databases import settings_for
from deployers import HEAD, finish, migrate, reading, start, wait_until
from history import add_revision
from servers import pgbouncer
from sqlalchemy import make_url

from app.db import local_postgres
from app.db.local_postgres import LocalPostgres
from app.db.migrations import environment, snapshot

pytestmark = pytest.mark.slow

DEPLOYERS = 10


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with local_postgres.throwaway() as found:
        yield found


@pytest.fixture
def database(server: LocalPostgres) -> str:
    """An empty database on PostgreSQL."""
    server.run_sql("DROP DATABASE IF EXISTS deployed WITH (FORCE)", "postgres")
    server.run_sql("CREATE DATABASE deployed", "postgres")
    return make_url(server.url).set(database="deployed").render_as_string(hide_password=False)


def advisory_locks(server: LocalPostgres) -> int:
    return int(server.run_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))


def test_ten_deployers_at_once_all_succeed(checkout: Path, empty_url: str) -> None:
    outcomes = [finish(process) for process in [start(checkout, empty_url) for _ in range(DEPLOYERS)]]
    assert [code for code, _ in outcomes] == [0] * DEPLOYERS, outcomes
    assert sum("upgrade" in output for _, output in outcomes) == 1
    assert migrate(checkout, empty_url, "check")[0] == 0


def test_ten_deployers_through_a_pooler_with_a_concurrent_index(
    checkout: Path, server: LocalPostgres, database: str
) -> None:
    add_revision(checkout, "slow_index", HEAD, 'operations.index_concurrently("ix_users_group", "users", ["group"])')
    with pgbouncer(server, connections=30) as front:
        url = front.set(database="deployed").render_as_string(hide_password=False)
        started = time.monotonic()
        outcomes = [finish(process) for process in [start(checkout, url) for _ in range(DEPLOYERS)]]
        assert [code for code, _ in outcomes] == [0] * DEPLOYERS, outcomes
        assert time.monotonic() - started < 60
    assert server.run_sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_users_group'::regclass", "deployed")
    assert advisory_locks(server) == 0


def test_a_waiter_takes_over_from_a_deployer_that_was_killed(
    checkout: Path, server: LocalPostgres, database: str
) -> None:
    path = add_revision(checkout, "sleeps", HEAD, 'op.execute("CREATE TABLE half (id int)")\ntime.sleep(60)')
    holder = start(checkout, database)
    wait_until(lambda: advisory_locks(server) == 1)
    path.write_text(path.read_text().replace("time.sleep(60)", "pass"))
    waiter = start(checkout, database, "upgrade", "--budget", "30")
    time.sleep(1.5)
    assert waiter.poll() is None
    holder.kill()
    killed = time.monotonic()
    code, output = finish(waiter)
    assert (code, time.monotonic() - killed < 5) == (0, True), output
    assert "upgrade sleeps" in output
    finish(holder)


def test_another_deployer_that_does_not_finish_is_exit_5(checkout: Path, server: LocalPostgres, database: str) -> None:
    command = [*server.psql()[:-1], "deployed", "-q"]
    with subprocess.Popen(command, env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as other:
        assert other.stdin
        other.stdin.write(LOCK)
        other.stdin.flush()
        wait_until(lambda: advisory_locks(server) == 1)
        code, output = migrate(checkout, database, "upgrade", "--budget", "1")
    assert code == 5, output
    assert "another deployer" in output
    assert server.run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "deployed") == "0"


LOCK = b"BEGIN; SELECT pg_advisory_xact_lock(7305132986452100017);\n"


@pytest.mark.parametrize("batch", [False, True], ids=["plain", "batch"])
def test_a_kill_in_the_middle_of_a_step_leaves_nothing(checkout: Path, empty_url: str, batch: bool) -> None:
    assert migrate(checkout, empty_url)[0] == 0
    add, alter = 'batch.add_column(sa.Column("x", sa.Integer()))', 'batch.alter_column("email", type_=sa.String(400))'
    change = alter if batch else add
    mark = checkout / "reached"
    path = add_revision(
        checkout,
        "doomed",
        HEAD,
        f'with op.batch_alter_table("users") as batch:\n    {change}\n'
        f'op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))\n'
        f'open("{mark}", "w").close()\ntime.sleep(60)',
    )
    process = start(checkout, empty_url)
    wait_until(mark.exists)
    process.send_signal(signal.SIGKILL)
    finish(process)
    path.write_text(path.read_text().replace("time.sleep(60)", "pass"))
    code, output = migrate(checkout, empty_url)
    assert code == 0, output
    assert "upgrade doomed" in output


def test_a_reader_of_ten_seconds_makes_nobody_wait_long(checkout: Path, server: LocalPostgres, database: str) -> None:
    assert migrate(checkout, database)[0] == 0
    add_revision(checkout, "alters", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    waits: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        arguments = [*server.psql()[:-1], "deployed", "-qtA"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(arguments, env=server.environment, text=True, **pipes) as client:  # type: ignore[call-overload]
            while not stop.is_set():
                started = time.monotonic()
                client.stdin.write("SELECT count(*) FROM users;\n")
                client.stdin.flush()
                client.stdout.readline()
                waits.append(time.monotonic() - started)
                time.sleep(0.01)

    clients = [threading.Thread(target=ask) for _ in range(3)]
    with reading(server, 10):
        held_since = time.monotonic()
        for client in clients:
            client.start()
        code, output = migrate(checkout, database)
        took = time.monotonic() - held_since
        stop.set()
    for client in clients:
        client.join()
    assert code == 0, output
    assert ("trying again" in output, took > 9) == (True, True), output
    assert max(waits) < 0.4


def test_a_reader_that_outlasts_the_budget_is_exit_5(checkout: Path, server: LocalPostgres, database: str) -> None:
    assert migrate(checkout, database)[0] == 0
    add_revision(checkout, "alters", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    with reading(server, 5):
        code, output = migrate(checkout, database, "upgrade", "--budget", "2")
    assert code == 5, output
    assert migrate(checkout, database, "status")[0] == 3


def test_a_writer_on_sqlite_is_waited_for(checkout: Path, tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        code, output = migrate(checkout, f"sqlite:///{path}", "upgrade", "--budget", "1")
        assert code == 5, output
        process = start(checkout, f"sqlite:///{path}", "upgrade", "--budget", "30")
        time.sleep(1)
        writer.execute("COMMIT")
    assert finish(process)[0] == 0


def test_a_database_that_comes_up_late_is_waited_for(checkout: Path, tmp_path: Path) -> None:
    with local_postgres.throwaway() as late:
        late.stop()
        process = start(checkout, late.url, "upgrade", "--wait", "30")
        time.sleep(1.5)
        late.start(make_url(late.url).port)
        code, output = finish(process)
    assert code == 0, output
    assert "waiting for the database" in output


def test_an_index_left_invalid_is_made_good(checkout: Path, server: LocalPostgres, database: str) -> None:
    assert migrate(checkout, database)[0] == 0
    row = "VALUES (gen_random_uuid(), '{}', 'x', true, false, false, 'same', now(), now())"
    columns = '(id, email, hashed_password, is_active, is_staff, is_superuser, "group", created_at, updated_at)'
    for number in range(2):
        server.run_sql(f"INSERT INTO users {columns} {row.format(number)}", "deployed")
    make = 'operations.index_concurrently("ix_group", "users", ["group"], unique=True)'
    add_revision(checkout, "unique_group", HEAD, make)

    code, output = migrate(checkout, database)  # the rows are not unique
    assert code != 0, output
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    assert server.run_sql(invalid, "deployed") == "1"
    assert migrate(checkout, database, "status")[0] == 3
    code, output = migrate(checkout, database, "check")
    assert (code, "ix_group" in output) == (9, True), output

    server.run_sql('UPDATE users SET "group" = email', "deployed")
    code, output = migrate(checkout, database)
    assert code == 0, output
    assert server.run_sql(invalid, "deployed") == "0"


def test_the_sql_for_others_makes_the_same_schema(checkout: Path, server: LocalPostgres, database: str) -> None:
    add_revision(checkout, "last", HEAD, 'operations.index_concurrently("ix_x", "users", ["group"])')
    process = start(checkout, database, "upgrade", "--sql")
    script, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    server.run_sql("DROP DATABASE IF EXISTS by_psql WITH (FORCE)", "postgres")
    server.run_sql("CREATE DATABASE by_psql", "postgres")
    command = [*server.psql()[:-1], "by_psql", "-v", "ON_ERROR_STOP=1", "-q"]
    subprocess.run(command, env=server.environment, input=script, text=True, check=True, stdout=subprocess.DEVNULL)
    assert migrate(checkout, database)[0] == 0

    def schema(name: str) -> snapshot.Snapshot:
        url = make_url(server.url).set(database=name).render_as_string(hide_password=False)
        return environment.on_connection(settings_for(url), snapshot.take)

    assert snapshot.differences(schema("by_psql"), schema("deployed")) == []
    by_psql = make_url(server.url).set(database="by_psql").render_as_string(hide_password=False)
    assert migrate(checkout, by_psql, "status")[0] == 0
