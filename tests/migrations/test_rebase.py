"""Two heads made one, by moving what no database has had."""

from pathlib import Path

import pytest
from deployers import HEAD, migrate
from history import add_revision

pytestmark = pytest.mark.slow

X = 'op.add_column("users", sa.Column("x", sa.Integer()))'
NO_X = 'with op.batch_alter_table("users") as batch:\n    batch.drop_column("x")'
Y, NO_Y = X.replace('"x"', '"y"'), NO_X.replace('"x"', '"y"')


@pytest.fixture
def two_heads(checkout: Path) -> Path:
    """ "theirs" of the second day, and "mine", two revisions of the first and third, behind the same one."""
    mine = add_revision(checkout, "mine", HEAD, X, NO_X, day=1)
    mine.write_text(mine.read_text().replace('"""mine"""', f'"""mine\n\nRevises: {HEAD}\n"""'))
    add_revision(checkout, "theirs", HEAD, Y, NO_Y, day=2)
    add_revision(checkout, "also_mine", "mine", "pass", day=3)
    return checkout


def contents(checkout: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (checkout / "alembic/versions").glob("2030*.py")}


def succeed(checkout: Path, url: str, *arguments: str) -> str:
    code, output = migrate(checkout, url, *arguments)
    assert code == 0, output
    return output


def order(checkout: Path) -> list[str]:
    """The new revisions, as their files sort."""
    return [name.partition("_")[2].removesuffix(".py") for name in sorted(contents(checkout))]


def test_the_newer_line_moves_behind_the_other(two_heads: Path, own_url: str) -> None:
    assert migrate(two_heads, own_url)[0] == 4
    output = succeed(two_heads, own_url, "rebase")
    assert "mine, also_mine now behind theirs" in output
    assert "migrate test" in output
    assert order(two_heads) == ["theirs", "mine", "also_mine"]
    assert 'Revises: theirs\n"""' in "".join(contents(two_heads).values())
    succeed(two_heads, own_url, "upgrade")
    succeed(two_heads, own_url, "test", "mine")
    assert f"{HEAD} -> theirs" in succeed(two_heads, own_url, "history")
    assert "theirs -> mine" in succeed(two_heads, own_url, "history")


@pytest.mark.parametrize(("applied", "moved"), [("theirs", "mine, also_mine"), ("mine", "theirs")])
def test_what_the_database_has_had_stays(two_heads: Path, own_url: str, applied: str, moved: str) -> None:
    others = {
        path: path.read_text() for path in (two_heads / "alembic/versions").glob("2030*") if path.stem[18:] != applied
    }
    for path in others:
        path.unlink()
    succeed(two_heads, own_url, "upgrade")
    for path, text in others.items():
        path.write_text(text)

    before = contents(two_heads)
    head = {"theirs": "theirs", "mine": "also_mine"}[applied]
    code, output = migrate(two_heads, own_url, "rebase", head)
    assert (code, f"has had {applied}, which would be edited" in output) == (1, True), output
    assert contents(two_heads) == before

    assert f"{moved} now behind {head}" in succeed(two_heads, own_url, "rebase")
    succeed(two_heads, own_url, "upgrade")
    assert f"{moved.split(', ')[-1]} (head) (current)" in succeed(two_heads, own_url, "history")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_the_head_that_is_named_moves(two_heads: Path, own_url: str) -> None:
    for wrong in ("mine", "nonsense"):
        code, output = migrate(two_heads, own_url, "rebase", wrong)
        assert (code, wrong in output) == (1, True), output
    succeed(two_heads, own_url, "rebase", "thei")
    assert order(two_heads) == ["mine", "also_mine", "theirs"]
    succeed(two_heads, own_url, "upgrade")
    code, output = migrate(two_heads, own_url, "rebase")
    assert (code, "no pair of heads, but 1: theirs" in output) == (1, True), output


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_databases_have_had_on_both_sides_is_merged(two_heads: Path, own_url: str) -> None:
    succeed(two_heads, own_url, "stamp", "heads")
    before = contents(two_heads)
    code, output = migrate(two_heads, own_url, "rebase")
    assert (code, "migrate merge" in output) == (1, True), output
    assert contents(two_heads) == before
