"""Several deployers, kills in the middle, slow readers: through oppman.py, from outside, on both databases."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from databases import settings_for
from history import add_revision
from servers import pgbouncer
from sqlalchemy import make_url

from app.db import local_postgres
from app.db.local_postgres import LocalPostgres
from app.db.migrations import environment, revisions, snapshot

pytestmark = pytest.mark.slow

DEPLOYERS = 10
HEAD = max(revisions.heads())


def start(checkout: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(checkout / "oppman.py"), "migrate", *(arguments or ("upgrade",))]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, errors = process.communicate(timeout=120)
    return process.returncode, output + errors


def migrate(checkout: Path, url: str, *arguments: str) -> tuple[int, str]:
    return finish(start(checkout, url, *arguments))


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
    held = threading.Thread(target=server.run_sql, args=(f"{LOCK}; SELECT pg_sleep(4)", "deployed"))
    held.start()
    wait_until(lambda: advisory_locks(server) == 1)
    code, output = migrate(checkout, database, "upgrade", "--budget", "1")
    held.join()
    assert code == 5, output
    assert "another deployer" in output
    assert server.run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "deployed") == "0"


LOCK = "BEGIN; SELECT pg_advisory_xact_lock(7305132986452100017)"


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


def test_a_slow_reader_makes_nobody_wait_long(checkout: Path, server: LocalPostgres, database: str) -> None:
    assert migrate(checkout, database)[0] == 0
    add_revision(checkout, "alters", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    reader = threading.Thread(
        target=server.run_sql, args=("BEGIN; SELECT count(*) FROM users; SELECT pg_sleep(6)", "deployed")
    )
    reader.start()
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
    for client in clients:
        client.start()
    code, output = migrate(checkout, database)
    stop.set()
    for thread in (*clients, reader):
        thread.join()
    assert code == 0, output
    assert "trying again" in output
    assert max(waits) < 0.4


def test_a_reader_that_outlasts_the_budget_is_exit_5(checkout: Path, server: LocalPostgres, database: str) -> None:
    assert migrate(checkout, database)[0] == 0
    add_revision(checkout, "alters", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    reader = threading.Thread(
        target=server.run_sql, args=("BEGIN; SELECT count(*) FROM users; SELECT pg_sleep(5)", "deployed")
    )
    reader.start()
    wait_until(lambda: server.run_sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(5)%'") != "1")
    code, output = migrate(checkout, database, "upgrade", "--budget", "2")
    assert code == 5, output
    reader.join()
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


def test_a_contract_step_waits_to_be_asked_for(checkout: Path, empty_url: str) -> None:
    add_revision(checkout, "expands", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))', day=1)
    drop = 'with op.batch_alter_table("users") as batch:\n    batch.drop_column("x")'
    add_revision(checkout, "contracts", "expands", drop, extra='phase = "contract"\n', day=2)

    code, output = migrate(checkout, empty_url)
    assert (code, "held back contracts" in output) == (0, True), output
    assert migrate(checkout, empty_url, "status")[0] == 3
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "DATABASE_URL": empty_url}
    plain = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert plain.returncode != 0
    assert "--contract" in plain.stdout + plain.stderr

    code, output = migrate(checkout, empty_url, "upgrade", "--contract")
    assert (code, "upgrade contracts" in output) == (0, True), output
    assert migrate(checkout, empty_url, "status")[0] == 0


def test_a_database_of_newer_code_is_left_alone(checkout: Path, empty_url: str) -> None:
    newer = add_revision(checkout, "tomorrow", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    assert migrate(checkout, empty_url)[0] == 0
    newer.unlink()
    for command in (("upgrade",), ("status",)):
        code, output = migrate(checkout, empty_url, *command)
        assert code == 6, output
        assert "tomorrow" in output


def test_an_edited_file_is_noticed(checkout: Path, empty_url: str) -> None:
    path = add_revision(checkout, "written", HEAD, "pass")
    assert migrate(checkout, empty_url)[0] == 0
    assert migrate(checkout, empty_url, "check")[0] == 0
    path.write_text(path.read_text() + "# afterthought\n")
    code, output = migrate(checkout, empty_url, "check")
    assert (code, "written was edited" in output) == (9, True), output


def test_two_heads_are_exit_4_and_merge_joins_them(checkout: Path, empty_url: str) -> None:
    add_revision(checkout, "left", HEAD, "pass", day=1)
    add_revision(checkout, "right", HEAD, "pass", day=2)
    for command in (("upgrade",), ("check",), ("create", "another")):
        code, output = migrate(checkout, empty_url, *command)
        assert (code, "2 heads" in output) == (4, True), output
    assert migrate(checkout, empty_url, "merge")[0] == 0
    code, output = migrate(checkout, empty_url)
    assert code == 0, output
    assert migrate(checkout, empty_url, "check")[0] == 0


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


def test_rebuilding_a_parent_on_sqlite_keeps_its_children(checkout: Path, tmp_path: Path) -> None:
    path = tmp_path / "family.db"
    add_revision(
        checkout,
        "family",
        HEAD,
        'op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(9)))\n'
        'op.create_table("children", sa.Column("id", sa.Integer(), primary_key=True),\n'
        '    sa.Column("parent_id", sa.Integer(), sa.ForeignKey("parents.id", ondelete="CASCADE")))',
        day=1,
    )
    code, output = migrate(checkout, f"sqlite:///{path}")
    assert code == 0, output
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO parents VALUES (1, 'Ada')")
        connection.executemany("INSERT INTO children VALUES (?, 1)", [(number,) for number in range(100)])
    rebuild = 'with op.batch_alter_table("parents") as batch:\n    batch.alter_column("name", type_=sa.String(99))'
    add_revision(checkout, "rebuilds", "family", rebuild, day=2)
    assert migrate(checkout, f"sqlite:///{path}")[0] == 0
    orphan = add_revision(checkout, "orphans", "rebuilds", 'op.execute("DELETE FROM parents")', day=3)
    code, output = migrate(checkout, f"sqlite:///{path}")
    assert (code, "100 rows would point to nothing" in output) == (1, True), output
    orphan.unlink()
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("SELECT count(*) FROM parents JOIN children ON parent_id = parents.id").fetchone()
    assert kept == (100,)


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)
