"""What an upgrade refuses, holds back and makes good: through oppman.py, from outside, on both databases."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from deployers import HEAD, migrate
from history import add_revision

from app.settings import ROOT

pytestmark = pytest.mark.slow


def test_a_contract_step_waits_to_be_asked_for(checkout: Path, own_url: str) -> None:
    add_revision(checkout, "expands", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))', day=1)
    drop = 'with op.batch_alter_table("users") as batch:\n    batch.drop_column("x")'
    add_revision(checkout, "contracts", "expands", drop, extra='phase = "contract"\n', day=2)

    code, output = migrate(checkout, own_url)
    assert (code, "held back contracts" in output) == (0, True), output
    assert migrate(checkout, own_url, "status")[0] == 3
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "DATABASE_URL": own_url}
    plain = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert plain.returncode != 0
    assert "--contract" in plain.stdout + plain.stderr

    code, output = migrate(checkout, own_url, "upgrade", "--contract")
    assert (code, "upgrade contracts" in output) == (0, True), output
    assert migrate(checkout, own_url, "status")[0] == 0


def test_a_database_of_newer_code_is_left_alone(checkout: Path, own_url: str) -> None:
    newer = add_revision(checkout, "tomorrow", HEAD, 'op.add_column("users", sa.Column("x", sa.Integer()))')
    assert migrate(checkout, own_url)[0] == 0
    newer.unlink()
    for command in (("upgrade",), ("status",)):
        code, output = migrate(checkout, own_url, *command)
        assert code == 6, output
        assert "tomorrow" in output


def test_an_edited_file_is_noticed(checkout: Path, own_url: str) -> None:
    path = add_revision(checkout, "written", HEAD, "pass")
    assert migrate(checkout, own_url)[0] == 0
    assert migrate(checkout, own_url, "check")[0] == 0
    path.write_text(path.read_text() + "# afterthought\n")
    code, output = migrate(checkout, own_url, "check")
    assert (code, "written was edited" in output) == (9, True), output


def test_a_revision_that_follows_another_one_now_is_not_edited(checkout: Path, own_url: str) -> None:
    gone = add_revision(checkout, "gone", HEAD, "pass", day=1)
    path = add_revision(checkout, "stays", "gone", "pass", day=2)
    path.write_text(path.read_text().replace('"""stays"""', '"""stays\n\nRevises: gone\n"""'))
    assert migrate(checkout, own_url)[0] == 0
    gone.unlink()
    path.write_text(path.read_text().replace("gone", HEAD))
    code, output = migrate(checkout, own_url, "check")
    assert code == 0, output
    path.write_text(path.read_text().replace("pass", 'op.execute("SELECT 1")', 1))
    assert migrate(checkout, own_url, "check")[0] == 9


def test_two_heads_are_exit_4_and_merge_joins_them(checkout: Path, own_url: str) -> None:
    add_revision(checkout, "left", HEAD, "pass", day=1)
    add_revision(checkout, "right", HEAD, "pass", day=2)
    for command in (("upgrade",), ("check",), ("create", "another")):
        code, output = migrate(checkout, own_url, *command)
        assert (code, "2 heads" in output) == (4, True), output
    assert migrate(checkout, own_url, "merge")[0] == 0
    code, output = migrate(checkout, own_url)
    assert code == 0, output
    assert migrate(checkout, own_url, "check")[0] == 0


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


FAMILY = (
    'op.create_table("parents", sa.Column("id", sa.Integer(), primary_key=True))\n'
    'op.create_table("children", sa.Column("name", sa.String(9), primary_key=True),\n'
    '    sa.Column("parent_id", sa.Integer(), sa.ForeignKey("parents.id")))'
)


def test_rows_that_pointed_to_nothing_before_stop_no_upgrade_on_sqlite(checkout: Path, tmp_path: Path) -> None:
    path, url = tmp_path / "family.db", f"sqlite:///{tmp_path}/family.db"
    add_revision(checkout, "family", HEAD, FAMILY, day=1)
    assert migrate(checkout, url)[0] == 0
    with closing(sqlite3.connect(path)) as connection, connection:  # which checks no foreign keys
        connection.execute("INSERT INTO parents VALUES (1)")
        connection.executemany("INSERT INTO children VALUES (?, ?)", [("kept", 1), ("lost", 8), ("gone", 8), ("x", 9)])

    rebuild = 'with op.batch_alter_table("children") as batch:\n    batch.alter_column("name", type_=sa.String(99))'
    add_revision(checkout, "rebuilds", "family", rebuild, day=2)
    code, output = migrate(checkout, url)
    assert (code, "3 rows point to nothing (in children), as they did before" in output) == (0, True), output

    worse = 'op.execute("DELETE FROM children WHERE parent_id = 9")\nop.execute("DELETE FROM parents")'
    add_revision(checkout, "orphans", "rebuilds", worse, day=3)
    code, output = migrate(checkout, url)
    assert (code, "1 rows would point to nothing (in children)" in output) == (1, True), output
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM children").fetchone() == (4,)


def test_an_upgrade_that_brings_nothing_reads_no_rows_on_sqlite(tmp_path: Path) -> None:
    """An orphan that nobody looks for is not told of."""
    path, url = tmp_path / "still.db", f"sqlite:///{tmp_path}/still.db"
    assert migrate(ROOT, url)[0] == 0
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE children (parent_id REFERENCES parents)")
        connection.execute("INSERT INTO children VALUES (8)")
    plain = [sys.executable, "-m", "alembic", "upgrade", "head"]
    again = subprocess.run(plain, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, capture_output=True, check=True)
    assert b"point to nothing" not in again.stderr
