"""What revisions have for busy tables, on a PostgreSQL that is alive."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from deployers import migrate, start, wait_until
from history import add_revision
from sqlalchemy import make_url

from app.db import local_postgres
from app.db.local_postgres import LocalPostgres
from app.db.migrations import revisions

pytestmark = pytest.mark.slow

HEAD = max(revisions.heads())
TABLES = """op.create_table("owners", sa.Column("id", sa.Integer(), primary_key=True))
op.create_table("things", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("value", sa.Integer()))"""
DEFINITIONS = {
    "check": "CHECK (value > 0 AND value::text <> 'at :noon 100%')",
    "foreign key": "FOREIGN KEY (value) REFERENCES owners (id)",
}
GOOD, BAD = "INSERT INTO things (value) VALUES (1)", "INSERT INTO things (value) VALUES (-1)"
VALIDATED = "SELECT convalidated FROM pg_constraint WHERE conname = 'limit'"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with local_postgres.throwaway() as found:
        yield found


@pytest.fixture
def database(server: LocalPostgres) -> str:
    server.run_sql("DROP DATABASE IF EXISTS busy WITH (FORCE)", "postgres")
    server.run_sql("CREATE DATABASE busy", "postgres")
    return make_url(server.url).set(database="busy").render_as_string(hide_password=False)


def add_constraint(checkout: Path, definition: str) -> None:
    """Tables, then the constraint in two revisions, each of which stays in its transaction until "go on" is there."""
    pause = f'open({str(checkout / "done")!r}, "w").close()\n'
    pause += f"while not __import__('os').path.exists({str(checkout / 'go on')!r}):\n    time.sleep(0.02)"
    add_revision(checkout, "tables", HEAD, TABLES, 'op.drop_table("things")\nop.drop_table("owners")', day=1)
    add = f'operations.add_constraint_unvalidated("limit", "things", {definition!r})'
    add_revision(checkout, "adds", "tables", add, 'operations.drop_constraint("limit", "things")', day=2)
    add_revision(checkout, "validates", "adds", f'operations.validate_constraint("limit", "things")\n{pause}', day=3)


def is_refused(server: LocalPostgres, sql: str) -> bool:
    try:
        server.run_sql(sql, "busy")
    except subprocess.CalledProcessError as error:
        return '"limit"' in error.stderr
    return False


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_new_rows_are_checked_at_once_and_old_ones_later(
    checkout: Path, server: LocalPostgres, database: str, kind: str
) -> None:
    add_constraint(checkout, DEFINITIONS[kind])
    (checkout / "go on").touch()
    assert migrate(checkout, database, "upgrade", "tables")[0] == 0
    server.run_sql(f"INSERT INTO owners VALUES (1); {BAD}", "busy")

    assert migrate(checkout, database, "upgrade", "adds")[0] == 0
    assert is_refused(server, BAD)
    assert not is_refused(server, GOOD)
    code, output = migrate(checkout, database, "upgrade")
    assert (code, "limit" in output) == (1, True), output
    assert server.run_sql(VALIDATED, "busy") == "f"

    server.run_sql("DELETE FROM things WHERE value < 0", "busy")
    assert migrate(checkout, database, "upgrade")[0] == 0
    assert server.run_sql(VALIDATED, "busy") == "t"
    assert migrate(checkout, database, "downgrade", "tables")[0] == 0
    assert not is_refused(server, BAD)


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_readers_and_writers_go_on_while_old_rows_are_checked(
    checkout: Path, server: LocalPostgres, database: str, kind: str
) -> None:
    add_constraint(checkout, DEFINITIONS[kind])
    assert migrate(checkout, database, "upgrade", "adds")[0] == 0
    server.run_sql("INSERT INTO owners VALUES (1)", "busy")
    plain = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(plain)) as writer:
        writer.execute(GOOD)  # not committed before the validation
        process = start(checkout, database, "upgrade", "--budget", "2")
        wait_until((checkout / "done").exists)
        server.run_sql(f"SET lock_timeout = 200; {GOOD}; SELECT count(*) FROM things", "busy")
        writer.commit()
    (checkout / "go on").touch()
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, output + errors
    assert server.run_sql("SELECT count(*) FROM things", "busy") == "2"


def an_extension(server: LocalPostgres) -> str:
    """One that this server has; a name that needs quotes where there is one."""
    there = server.run_sql("SELECT name FROM pg_available_extensions WHERE installed_version IS NULL").splitlines()
    return next(name for name in ("uuid-ossp", "pg_trgm", "vector") if name in there)


def test_an_extension_is_made_once(checkout: Path, server: LocalPostgres, database: str, tmp_path: Path) -> None:
    name = an_extension(server)
    add_revision(checkout, "first", HEAD, f'operations.ensure_extension("{name}")', day=1)
    add_revision(checkout, "again", "first", f'operations.ensure_extension("{name}")', day=2)
    code, output = migrate(checkout, database, "upgrade")
    assert code == 0, output
    assert server.run_sql(f"SELECT count(*) FROM pg_extension WHERE extname = '{name}'", "busy") == "1"
    assert migrate(checkout, database, "downgrade", HEAD)[0] == 0
    assert migrate(checkout, f"sqlite:///{tmp_path}/other.db", "upgrade")[0] == 0


def test_the_sql_for_others_does_the_same(checkout: Path, server: LocalPostgres, database: str, tmp_path: Path) -> None:
    name = an_extension(server)
    add_constraint(checkout, DEFINITIONS["check"])
    (checkout / "go on").touch()
    add_revision(checkout, "extends", "validates", f'operations.ensure_extension("{name}")', day=4)
    # From a file, one statement after the other: in one message an index could not be made concurrently.
    psql = [*server.psql()[:-1], "busy", "-v", "ON_ERROR_STOP=1", "-q"]
    written = start(checkout, database, "sql").communicate()[0]
    subprocess.run(psql, input=written, env=server.environment, capture_output=True, text=True, check=True)
    assert server.run_sql(VALIDATED, "busy") == "t"
    assert is_refused(server, BAD)
    assert server.run_sql(f"SELECT count(*) FROM pg_extension WHERE extname = '{name}'", "busy") == "1"
    code, output = migrate(checkout, database, "downgrade", HEAD)
    assert code == 0, output

    code, plain = migrate(checkout, f"sqlite:///{tmp_path}/other.db", "sql")
    assert (code, "NOT VALID" in plain, "EXTENSION" in plain) == (0, False, False), plain
    assert migrate(checkout, f"sqlite:///{tmp_path}/other.db", "upgrade")[0] == 0
    assert migrate(checkout, f"sqlite:///{tmp_path}/other.db", "downgrade", "base")[0] == 0
