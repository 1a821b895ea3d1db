"""What a plan says was seen, not guessed."""

from pathlib import Path

import pytest
from databases import migrate, settings_for
from deployers import HEAD
from deployers import migrate as oppman
from history import add_revision

from app.db.migrations import environment, revisions
from app.db.migrations.plan import busy, plan

pytestmark = pytest.mark.slow

CHANGES = {
    "adds": ('op.add_column("users", sa.Column("x", sa.Integer()))', "stops readers and writers: users"),
    "rewrites": ('op.alter_column("audit_logs", "changes", type_=sa.JSON())', "writes all of audit_logs anew"),
    "fails": ('op.alter_column("users", "group", nullable=False)', "fails over a table with rows"),
    "keeps": ("pass", "has no way back"),
    "indexes": ('op.create_index("ix_x", "users", ["group"])', "stops writers: users"),
}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
@pytest.mark.parametrize("name", CHANGES)
def test_a_plan_names_locks_and_rewrites(checkout: Path, empty_url: str, name: str) -> None:
    upgrade, expected = CHANGES[name]
    settings = settings_for(empty_url)
    migrate(settings)
    add_revision(checkout, name, HEAD, upgrade)
    code, output = oppman(checkout, empty_url, "plan")
    assert code == 3, output
    assert expected in output
    assert "ALTER TABLE" in output or "CREATE INDEX" in output or upgrade == "pass"
    assert "alembic_version" not in output


def test_a_plan_of_everything_locks_nothing_that_was_there(empty_url: str) -> None:
    steps = plan(settings_for(empty_url), revisions.history())
    assert [step.revision for step in steps] == [script.revision for script in revisions.history()]
    assert all(step.goes_back for step in steps)
    assert all(step.sql for step in steps) or empty_url.startswith("sqlite")  # which has nothing to validate
    assert steps[0].sql
    assert not steps[0].effects.locks


def test_the_size_of_the_real_table_is_shown(empty_url: str) -> None:
    settings = settings_for(empty_url)
    migrate(settings)
    found = environment.on_connection(settings, lambda connection: busy({"users", "nothing"}, connection))
    assert {table: state.rows for table, state in found.items()} == {"users": 0}
