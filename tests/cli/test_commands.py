"""oppman.py as a person runs it: in a copy of the project, from outside."""

import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli_tree import ALL_COMMANDS
from door import UNREACHABLE, assert_one_line, free_port, invoke, oppman
from serving import get, serving

from app.cli.main import COMMANDS
from app.db.migrations import revisions
from app.features import modules
from app.settings import Settings


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert re.search(rf"Example: .*oppman\.py {command}", " ".join(result.output.split()))


@pytest.mark.parametrize("wrong", ["nonsense", "migrate nonsense", "runserver --port x", "runserver --workers 0"])
def test_wrong_usage_is_exit_code_2(wrong: str) -> None:
    assert invoke(*wrong.split()).exit_code == 2


def test_help_is_plain_where_it_is_no_terminal(checkout: Path) -> None:
    result = oppman(checkout, "--help")
    assert result.returncode == 0
    assert result.stdout.isascii()
    assert all(name in result.stdout for name in COMMANDS)


def test_reload_and_workers_exclude_each_other() -> None:
    assert invoke("runserver", "--reload", "--workers", "2").exit_code == 2


def test_start_sets_up_and_a_second_one_changes_nothing(checkout: Path) -> None:
    port = free_port()
    with serving(checkout, "start", port):
        assert get(port, "/health")[1]["status"] == "healthy"
        assert get(port, "/health/ready")[0] == 200
    env_file, database = checkout / ".env", checkout / "app.db"
    before = env_file.read_bytes(), database.read_bytes()
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert b"insecure" not in env_file.read_bytes()
    rows = [row for feature in modules("samples") for row in feature.samples()]
    assert rows_of(database, {row.__tablename__ for row in rows}) == len(rows)

    with serving(checkout, "start", port):
        pass
    assert (env_file.read_bytes(), database.read_bytes()) == before


def rows_of(database: Path, tables: set[str]) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def test_a_start_that_was_killed_is_made_good_by_the_next(checkout: Path) -> None:
    port = free_port()
    assert oppman(checkout, "migrate", "upgrade").returncode == 0  # as far as it had come
    with serving(checkout, "start", port):
        assert get(port, "/health/ready")[0] == 200
    rows = [row for feature in modules("samples") for row in feature.samples()]
    assert rows_of(checkout / "app.db", {row.__tablename__ for row in rows}) == len(rows)


def test_the_classic_way(checkout: Path, empty_url: str) -> None:
    port = free_port()
    assert_one_line(oppman(checkout, "runserver", DATABASE_URL=empty_url), "behind", "migrate upgrade")
    first = oppman(checkout, "migrate", "upgrade", DATABASE_URL=empty_url)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-1].startswith("at revision ")
    again = oppman(checkout, "migrate", "upgrade", DATABASE_URL=empty_url)
    assert again.stdout.startswith("already at revision ")
    with serving(checkout, "runserver --workers 2", port, DATABASE_URL=empty_url):
        assert get(port, "/health/ready")[0] == 200


def test_migrations_go_down_check_and_tell(monkeypatch: pytest.MonkeyPatch, empty_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_url)
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    def migrate(command: str) -> str:
        result = invoke("migrate", *command.split())
        assert result.exit_code == 0, result.exception
        return result.output

    assert "migrate upgrade" in str(invoke("migrate", "check").exception)
    assert "create users" in migrate("upgrade +1")
    migrate("upgrade")
    assert "already" in migrate("upgrade")
    migrate("check")
    migrate("downgrade -1")
    assert revisions.heads().isdisjoint(migrate("current").split())
    assert "(current)" in migrate("history")
    migrate("downgrade base")
    assert migrate("current").strip() == ""
    assert "CREATE TABLE users" in migrate("sql")
    migrate("stamp head")
    assert "(head)" in migrate("current")
    assert "nonsense" in str(invoke("migrate", "upgrade", "nonsense").exception)


@pytest.mark.parametrize(
    ("command", "url", "word", "code"),
    [
        ("migrate upgrade", "", "is empty", 1),
        ("migrate upgrade", "postgres//canary", "DATABASE_URL", 1),
        ("runserver", "mysql://u:canary@h/d", "DATABASE_URL", 1),
        ("start", UNREACHABLE, "nothing answers", 8),
        ("runserver", UNREACHABLE, "nothing answers", 8),
        ("migrate", UNREACHABLE, "nothing answers", 8),
        ("migrate upgrade", "sqlite:////nowhere/at/all/app.db", "folder", 8),
    ],
)
def test_a_database_that_cannot_be_is_one_line(checkout: Path, command: str, url: str, word: str, code: int) -> None:
    (checkout / ".env").write_text("")
    result = oppman(checkout, *command.split(), DATABASE_URL=url, PORT=str(free_port()))
    assert_one_line(result, word, code=code)


@pytest.mark.parametrize("command", ["runserver", "start"])
def test_a_port_that_is_taken_is_one_line(checkout: Path, command: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (checkout / ".env").write_text("")
        assert_one_line(oppman(checkout, command, PORT=str(port)), f"port {port} is taken", "--port")
    assert not (checkout / "app.db").exists()


def test_start_is_not_for_production(checkout: Path) -> None:
    (checkout / ".env").write_text(
        "ENVIRONMENT=production\nSECRET_KEY=k2-Zp8vQ1mXw7RtY4nBc6LhJ3fGd5SaE0uIoV9xK\nALLOWED_HOSTS=example.com\n"
    )
    assert_one_line(oppman(checkout, "start"), "production", "runserver")
    assert not (checkout / "app.db").exists()


def test_secrets_differ_and_are_long(checkout: Path) -> None:
    first, second = (oppman(checkout, "secret").stdout.strip() for _ in range(2))
    assert first != second
    assert len(first) == 64


def test_a_traceback_is_for_those_who_ask(checkout: Path) -> None:
    (checkout / "alembic/env.py").write_text("1 / 0")
    assert_one_line(oppman(checkout, "migrate", "upgrade"), "ZeroDivisionError", "--traceback")
    assert "Traceback" in oppman(checkout, "--traceback", "migrate", "upgrade").stderr
