"""Planted faults: each is caught, and what is harmless is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from history import add_revision

from app.db.migrations import revisions, throwaway
from app.db.migrations.rehearsal import rehearse
from app.db.url import DatabaseUrlError
from app.settings import ROOT

BASE = """op.create_table("authors", sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("name", sa.String(60), nullable=False))
op.create_table("books", sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("title", sa.String(60)), sa.Column("price", sa.Integer(), nullable=False),
    sa.Column("author_id", sa.Integer(), sa.ForeignKey("authors.id", ondelete="CASCADE", name="fk_author")))"""
BASE_DOWN = 'op.drop_table("books")\nop.drop_table("authors")'


def batch(table: str, change: str) -> str:
    return f'with op.batch_alter_table("{table}") as batch:\n    batch.{change}'


FAULTS = {
    "a downgrade that forgets a column": (batch("authors", 'add_column(sa.Column("age", sa.Integer()))'), "pass"),
    "a downgrade that forgets an index": ('op.create_index("ix_x", "books", ["title"])', "pass"),
    "a downgrade that forgets a table": (
        'op.create_table("x", sa.Column("id", sa.Integer(), primary_key=True))',
        "pass",
    ),
    "data lost in a rename": (
        batch("authors", 'add_column(sa.Column("full_name", sa.String(60)))')
        + "\n"
        + batch("authors", 'drop_column("name")'),
        batch("authors", 'add_column(sa.Column("name", sa.String(60), nullable=False, server_default=""))')
        + "\n"
        + batch("authors", 'drop_column("full_name")'),
    ),
    "data lost in a rename on the way back": (
        batch("books", 'alter_column("title", new_column_name="name")'),
        batch("books", 'drop_column("name")') + "\n" + batch("books", 'add_column(sa.Column("title", sa.String(60)))'),
    ),
    "a default that only one database understands": (
        'op.create_table("x", sa.Column("id", sa.Integer(), primary_key=True),\n'
        '    sa.Column("at", sa.DateTime(), server_default=sa.text("now()")))',
        'op.drop_table("x")',
    ),
    "a column that old rows cannot fill": (
        batch("books", 'add_column(sa.Column("pages", sa.Integer(), nullable=False))'),
        batch("books", 'drop_column("pages")'),
    ),
    "rows that are deleted": ('op.execute("DELETE FROM books WHERE id > 2")', "pass"),
    "a table that goes unsaid": ('op.execute("DROP TABLE books")', BASE.split("\n", 2)[2]),
    "values that are changed": ('op.execute("UPDATE books SET price = price * 100")', "pass"),
    "values that the way back changes": ("pass", 'op.execute("UPDATE books SET price = 0")'),
    "a constraint that old rows break": (
        'op.create_index("ix_x", "books", ["author_id"], unique=True)',
        'op.drop_index("ix_x", "books")',
    ),
    "a column too short for what is in it": (
        batch("authors", 'alter_column("name", type_=sa.String(3))'),
        batch("authors", 'alter_column("name", type_=sa.String(60))'),
    ),
    "a downgrade that fails": ('op.create_index("ix_x", "books", ["title"])', 'op.drop_index("ix_y", "books")'),
}
HARMLESS = {
    "a new column": (
        batch("authors", 'add_column(sa.Column("age", sa.Integer(), server_default="0", nullable=False))'),
        batch("authors", 'drop_column("age")'),
        "",
    ),
    "a rename that keeps the data": (
        batch("books", 'alter_column("title", new_column_name="name")'),
        batch("books", 'alter_column("name", new_column_name="title")'),
        "",
    ),
    "a check that only people understand, and a table that refers to it": (
        'op.create_table("x", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("kind", sa.String(9)),\n'
        """    sa.CheckConstraint("kind IN ('a') AND kind IS NOT NULL", name="ck"))\n"""
        'op.create_table("y", sa.Column("id", sa.Integer(), primary_key=True),\n'
        '    sa.Column("x_id", sa.Integer(), sa.ForeignKey("x.id"), nullable=False))',
        'op.drop_table("y")\nop.drop_table("x")',
        "",
    ),
    "values that are changed on purpose": (
        'op.execute("UPDATE books SET price = price * 100")',
        'op.execute("UPDATE books SET price = price / 100")',
        'rewrites = ("books.price",)\n',
    ),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A history of one revision, with a table and its child."""
    (tmp_path / "alembic/versions").mkdir(parents=True)
    (tmp_path / "alembic/env.py").write_text((ROOT / "alembic/env.py").read_text())
    add_revision(tmp_path, "first", "", BASE, BASE_DOWN, day=1)
    first = next((tmp_path / "alembic/versions").glob("*first.py"))
    first.write_text(first.read_text().replace('down_revision = ""', "down_revision = None"))

    def config() -> Config:
        found = Config(ROOT / "alembic.ini")
        found.set_main_option("script_location", str(tmp_path / "alembic"))
        return found

    monkeypatch.setattr(revisions, "config", config)
    revisions.scripts.cache_clear()
    yield tmp_path
    revisions.scripts.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(project: Path, name: str) -> None:
    upgrade, downgrade = FAULTS[name]
    add_revision(project, "fault", "first", upgrade, downgrade, day=2)
    problems = rehearse()
    assert problems
    assert {problem.revision for problem in problems} == {"fault"}


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not(project: Path, name: str) -> None:
    upgrade, downgrade, extra = HARMLESS[name]
    add_revision(project, "harmless", "first", upgrade, downgrade, extra, day=2)
    assert rehearse() == []


@pytest.mark.slow
def test_the_history_of_this_repository_is_sound() -> None:
    assert rehearse() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [("mysql://u:canary@h/d", "is not supported"), ("sqlite:///x.db", "name a PostgreSQL"), ("canary", "not a URL")],
)
def test_a_server_that_cannot_serve_is_one_line(monkeypatch: pytest.MonkeyPatch, given: str, words: str) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", given)
    throwaway._server_url.cache_clear()
    with throwaway.databases() as make, pytest.raises(DatabaseUrlError) as caught:
        make("postgresql")
    assert str(caught.value).startswith("TEST_DATABASE_URL: ")
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
