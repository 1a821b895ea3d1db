"""demo remove, in a copy of the project: what is left works, or nothing was changed."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from databases import migrate, settings_for
from demo.test_traces import tracked, words_in
from history import add_revision
from sqlalchemy import inspect

from app.cli.demo.rows import demo_tables
from app.cli.demo.traces import belongs_to_the_demo
from app.db.migrations import environment, revisions
from app.features import DEMO
from app.settings import Settings

pytestmark = pytest.mark.slow

HEAD = max(revisions.heads())
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@example.com"]


def oppman(checkout: Path, url: str, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, str(checkout / "oppman.py"), *arguments]
    settings = {**os.environ, "DATABASE_URL": url}
    result = subprocess.run(command, cwd=checkout, env=settings, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def fine(checkout: Path, url: str, *arguments: str) -> str:
    code, output = oppman(checkout, url, *arguments)
    assert code == 0, output
    return output


def git(checkout: Path, *arguments: str) -> str:
    command = ["git", *IDENTITY, *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout


def commit(checkout: Path) -> None:
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "x")


@pytest.fixture
def clone(checkout: Path) -> Path:
    git(checkout, "init", "--quiet")
    commit(checkout)
    return checkout


def tables(settings: Settings) -> set[str]:
    return environment.on_connection(settings, lambda connection: set(inspect(connection).get_table_names()))


DEMO_TABLES = {table.name for table in demo_tables()}


MINE = """

class Mine(Base):
    __tablename__ = "mine"
"""
CREATE_MINE = """op.create_table("mine", sa.Column("id", sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_mine"))"""


def assert_untouched(clone: Path, code: int, output: str, *words: str) -> None:
    assert code == 1, output
    assert all(word in output for word in words), output
    assert git(clone, "status", "--porcelain") == ""


def test_what_is_left_is_whole(clone: Path, empty_url: str, backend: str) -> None:
    """With a revision of somebody's own on top of the demo's, as a clone has it after a while."""
    settings = settings_for(empty_url)
    own = add_revision(clone, "mine", HEAD, CREATE_MINE, 'op.drop_table("mine")')
    for tidy in (["check", "--fix"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, "--quiet", str(own)], cwd=clone, check=True)
    model = clone / "app/features/users/models.py"
    model.write_text(model.read_text() + MINE)
    roles = clone / "tests/users/roles.py"
    roles.write_text(roles.read_text() + 'ROUTES |= admin_routes("mine", *[SUPERUSER] * 4)\n')
    commit(clone)
    fine(clone, empty_url, "migrate", "upgrade")
    fine(clone, empty_url, "demo", "load")

    output = fine(clone, empty_url, "demo", "remove", "--yes")

    assert f"table {min(DEMO_TABLES)} with" in output
    assert tables(settings).isdisjoint(DEMO_TABLES)
    assert "mine" in tables(settings)
    left = "".join(path.read_text() for path in (clone / "alembic/versions").rglob("*.py"))
    followed = set(re.findall(r'^down_revision = "(\w+)"', left, re.MULTILINE))
    assert followed < set(re.findall(r'^revision = "(\w+)"', left, re.MULTILINE)), "nothing follows what is gone"
    fine(clone, empty_url, "migrate", "check", "--deep")
    assert "mine" in fine(clone, empty_url, "migrate", "current")
    fresh_start(clone, settings)
    staying = [path for path in tracked(clone) if path.name != "CHANGELOG.md"]
    assert not [path for path in staying if belongs_to_the_demo(path)]
    for path in staying:
        content = (clone / path).read_bytes()
        assert b"\0" in content or words_in(content.decode()) == [], path
    if backend == "sqlite":  # the suite runs on both by itself
        fine(clone, empty_url, "check")
        fine(clone, empty_url, "test")


def fresh_start(clone: Path, settings: Settings) -> None:
    """The help page, and a server on the database that the demo was taken out of."""
    url = settings.database_url.get_secret_value()
    assert "demo" not in fine(clone, url, "--help")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "oppman.py", "runserver", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=clone, env={**os.environ, "DATABASE_URL": url}, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for path in ("/health/ready", "/"):
                assert status_of(f"http://127.0.0.1:{port}{path}") == 200
        finally:
            server.terminate()


def status_of(address: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return int(response.status)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_another_database_follows_by_the_sql_that_is_printed(clone: Path, empty_url: str, backend: str) -> None:
    """One that was to be kept, or one that was not there: the first is tried on SQLite, the second on PostgreSQL."""
    settings = settings_for(empty_url)
    add_revision(clone, "later", HEAD, "pass")
    commit(clone)
    fine(clone, empty_url, "migrate", "upgrade")
    if backend == "sqlite":
        output = fine(clone, empty_url, "demo", "remove", "--yes", "--keep-database")
    else:
        output = fine(clone, "postgresql://u:p@127.0.0.1:1/d", "demo", "remove", "--yes")
        assert "nothing answers" in output
    assert tables(settings) >= DEMO_TABLES
    code, leftovers = oppman(clone, empty_url, "migrate", "check")
    assert (code, "remove_table" in leftovers) == (3, True), leftovers

    sql = [line.strip().rstrip(";") for line in output.splitlines() if line.startswith("    ")]
    environment.in_transaction(settings, lambda connection: [connection.exec_driver_sql(line) for line in sql])

    fine(clone, empty_url, "migrate", "check")
    assert "applied" in fine(clone, empty_url, "migrate", "status")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("name", ["reference", "column", "import"])
def test_what_stands_on_the_demo_is_named_and_nothing_changed(clone: Path, empty_url: str, name: str) -> None:
    migrate(settings_for(empty_url))
    table = min(DEMO_TABLES)
    if name == "import":
        table = DEMO[0]
        (clone / "app/features/users/service.py").write_text(f"from app.features.{table} import models\n")
    elif name == "column":
        add_revision(clone, name, HEAD, f'op.add_column("{table}", sa.Column("x", sa.Integer()))')
    else:
        reference = f'sa.Column("y", sa.Uuid(), sa.ForeignKey("{table}.id"), primary_key=True)'
        add_revision(clone, name, HEAD, f'op.create_table("orders", {reference})', 'op.drop_table("orders")')
    commit(clone)
    code, output = oppman(clone, empty_url, "demo", "remove", "--yes")
    assert_untouched(clone, code, output, table, {"import": "users/service.py"}.get(name, name))
    assert tables(settings_for(empty_url)) >= DEMO_TABLES


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_fails_at_the_end_is_put_back(clone: Path, empty_url: str) -> None:
    migrate(settings_for(empty_url))
    main = clone / "app/main.py"
    main.write_text(main.read_text() + "\nfrom app import features\n\nfeatures.DEMO  # noqa: B018\n")
    commit(clone)
    code, output = oppman(clone, empty_url, "demo", "remove", "--yes")
    assert_untouched(clone, code, output, "what is left does not work", "everything is as it was")
    assert tables(settings_for(empty_url)) >= DEMO_TABLES


def test_without_git_or_with_changes_it_is_refused(checkout: Path) -> None:
    code, output = oppman(checkout, "sqlite:///./app.db", "demo", "remove", "--yes")
    assert (code, "no git work tree" in output) == (1, True), output
    git(checkout, "init", "--quiet")
    commit(checkout)
    (checkout / "notes.txt").write_text("mine")
    code, output = oppman(checkout, "sqlite:///./app.db", "demo", "remove", "--yes")
    assert (code, "git knows of changes" in output) == (1, True), output
    assert (checkout / "app/cli/demo").exists()
