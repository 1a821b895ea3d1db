"""One revision in place of many: the same schema, on databases old and new, or nothing is changed."""

import subprocess
import sys
from pathlib import Path

import pytest
from databases import Databases, settings_for
from deployers import HEAD, migrate
from door import assert_one_line, oppman
from history import add_revision

from app.db.migrations import environment, revisions, snapshot
from app.settings import ROOT

pytestmark = pytest.mark.slow

IDS = [script.revision for script in revisions.history()]
LAST = Path(revisions.history()[-1].path).relative_to(ROOT)
VIEW = 'op.execute("CREATE VIEW emails AS SELECT email FROM users")'
TRIGGER = """if op.get_bind().dialect.name == "postgresql":
    op.execute("CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    op.execute("CREATE TRIGGER quiet BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION quiet()")"""


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(checkout: Path) -> None:
    git(checkout, "init")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--message", "all of it")


def files(checkout: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (checkout / "alembic").rglob("*.py")}


def schema(url: str) -> snapshot.Snapshot:
    return environment.on_connection(settings_for(url), lambda connection: snapshot.take(connection))


def succeed(checkout: Path, url: str, *arguments: str) -> str:
    code, output = migrate(checkout, url, *arguments)
    assert code == 0, output
    return output


def test_old_and_new_databases_go_on_after_a_squash(checkout: Path, databases: Databases, own_url: str) -> None:
    old, new = own_url, databases.create()
    commit(checkout)
    succeed(checkout, old, "squash")
    [squashed] = (checkout / "alembic/versions").rglob("*.py")
    assert "already at" in succeed(checkout, old, "upgrade")
    succeed(checkout, new, "upgrade")
    assert snapshot.differences(schema(new), schema(old)) == []

    for url in (old, new):
        succeed(checkout, url, "check")
        succeed(checkout, url, "status")
        assert f"<base> -> {HEAD} (head) (current)" in succeed(checkout, url, "history")
        succeed(checkout, url, "downgrade", "base")
        assert not any("users" in name for name in schema(url))
        succeed(checkout, url, "upgrade")
    add_revision(checkout, "next", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    succeed(checkout, old, "upgrade")
    databases.drop(new)

    squashed.write_text(squashed.read_text() + "# afterthought\n")
    code, output = migrate(checkout, old, "check")
    assert (code, f"{HEAD} was edited" in output) == (9, True), output


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_a_database_that_had_the_old_files_is_held_to_them(checkout: Path, empty_url: str) -> None:
    last = checkout / LAST
    original = last.read_text()
    last.write_text(original + "# in haste\n")
    succeed(checkout, empty_url, "upgrade")
    last.write_text(original)
    commit(checkout)
    succeed(checkout, empty_url, "squash")
    code, output = migrate(checkout, empty_url, "check")
    assert (code, f"{HEAD} was edited" in output) == (9, True), output


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_follows_a_squash_stays(checkout: Path, empty_url: str) -> None:
    add_revision(checkout, "later", HEAD, 'op.create_index("ix_users_group", "users", ["group"])', day=1)
    followers = {Path(script.path).name for script in revisions.history()[-4:]}
    kept = {name for name in files(checkout) if name in followers or "later" in name}
    commit(checkout)
    output = succeed(checkout, empty_url, "squash", "--up-to", IDS[-5])  # perhaps the last one of a subfolder
    assert "mend" not in output
    there = list((checkout / "alembic/versions").rglob("*.py"))
    assert len(kept) + 1 == len(there)
    assert kept < {path.name for path in there}
    assert {path.parent.name for path in there} == {"versions"}  # not in that subfolder, which may go one day
    succeed(checkout, empty_url, "upgrade")
    assert migrate(checkout, empty_url, "check")[0] == 3  # the index, which no model knows
    lint = [sys.executable, "-m", "ruff", "format", "--check", "alembic"]
    subprocess.run(lint, cwd=checkout, check=True, capture_output=True)


def test_a_database_in_the_middle_is_not_stranded(checkout: Path, databases: Databases, empty_url: str) -> None:
    elsewhere = databases.create()
    for url in (empty_url, elsewhere):
        succeed(checkout, url, "upgrade", IDS[2])
    commit(checkout)
    before = files(checkout)
    code, output = migrate(checkout, empty_url, "squash")
    assert (code, "migrate upgrade first" in output) == (3, True), output
    assert files(checkout) == before

    succeed(checkout, empty_url, "upgrade")
    succeed(checkout, empty_url, "squash")
    for command in (("upgrade",), ("status",), ("status", "--fast")):
        code, output = migrate(checkout, elsewhere, *command)
        assert (code, f"in the middle of what {HEAD} replaces" in output) == (9, True), output
    assert_one_line(oppman(checkout, "runserver", DATABASE_URL=elsewhere), "behind")
    databases.drop(elsewhere)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_a_line_that_branches_is_not_squashed(checkout: Path, empty_url: str) -> None:
    add_revision(checkout, "left", HEAD, "pass", day=1)
    add_revision(checkout, "right", HEAD, "pass", day=2)
    commit(checkout)
    before = files(checkout)
    assert migrate(checkout, empty_url, "squash")[0] == 4
    succeed(checkout, empty_url, "merge")
    before = files(checkout)
    git(checkout, "add", "--all")
    git(checkout, "commit", "--message", "merged")
    code, output = migrate(checkout, empty_url, "squash", "--up-to", "left")
    assert (code, f"right follows {HEAD}" in output) == (1, True), output
    code, output = migrate(checkout, empty_url, "squash", "--up-to", "nonsense")
    assert (code, "nonsense" in output) == (1, True), output
    assert files(checkout) == before


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_could_not_be_had_back_is_not_squashed(checkout: Path, empty_url: str) -> None:
    before = files(checkout)
    code, output = migrate(checkout, empty_url, "squash")
    assert (code, "git init" in output) == (1, True), output
    assert files(checkout) == before
    commit(checkout)
    add_revision(checkout, "draft", HEAD, "pass")
    before = files(checkout)
    git(checkout, "add", "--all")
    code, output = migrate(checkout, empty_url, "squash")
    assert (code, "not committed" in output) == (1, True), output
    assert files(checkout) == before


@pytest.mark.parametrize(
    ("upgrade", "words"),
    [
        (VIEW, ("sqlite: missing: view emails", "postgresql: missing: view emails")),
        (TRIGGER, ("postgresql: missing: trigger users.quiet", "missing: function quiet()")),
        ('operations.ensure_extension("pgcrypto")', ("postgresql: missing: extension pgcrypto",)),
        ('op.create_index("ix_x", "users", [sa.text("lower(email)")])', ("missing: index ix_x",)),
        (
            'made = op.create_table("kinds", sa.Column("id", sa.Integer(), primary_key=True))\n'
            'op.bulk_insert(made, [{"id": 1}, {"id": 2}])',
            ("put in rows (2 in kinds), see extra",),
        ),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_models_cannot_say_is_named(checkout: Path, empty_url: str, upgrade: str, words: tuple[str, ...]) -> None:
    add_revision(checkout, "extra", HEAD, upgrade)
    commit(checkout)
    before = files(checkout)
    code, output = migrate(checkout, empty_url, "squash")
    assert code == 1, output
    assert all(word in output for word in words), output
    assert files(checkout) == before
