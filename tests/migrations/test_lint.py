"""What may hurt is named; what only looks like it is not."""

from pathlib import Path

import pytest
from deployers import HEAD
from deployers import migrate as oppman
from history import add_revision

pytestmark = pytest.mark.slow

HURTS = {
    "index": ('op.create_index("ix_x", "users", ["group"])', "require-concurrent-index-creation"),
    "rewrite": ('op.alter_column("audit_logs", "changes", type_=sa.JSON())', "(rewrite)"),
    "required": ('op.add_column("users", sa.Column("x", sa.Integer(), nullable=False))', "adding-required-field"),
    "two": (
        'op.add_column("users", sa.Column("x", sa.Text()))\nop.add_column("audit_logs", sa.Column("x", sa.Text()))',
        "several-tables",
    ),
    "nulls": ('op.alter_column("users", "group", nullable=False)', "fails-over-rows"),
}
HARMLESS = {
    "wider": 'op.alter_column("users", "email", type_=sa.String(400))',
    "nullable": 'op.add_column("users", sa.Column("x", sa.Integer()))',
    "concurrent": 'operations.index_concurrently("ix_x", "users", ["group"])',
    "table": 'op.create_table("x", sa.Column("y", sa.Integer(), primary_key=True))\nop.create_index("i", "x", ["y"])',
}


@pytest.mark.parametrize("name", HURTS)
def test_what_hurts_is_found(checkout: Path, name: str) -> None:
    change, rule = HURTS[name]
    add_revision(checkout, name, HEAD, change)
    code, output = oppman(checkout, "sqlite://", "lint", name)
    assert (code, rule in output) == (7, True), output


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not(checkout: Path, name: str) -> None:
    add_revision(checkout, name, HEAD, HARMLESS[name])
    code, output = oppman(checkout, "sqlite://", "lint", name)
    assert code == 0, output


def test_the_history_of_this_repository_is_clean(checkout: Path) -> None:
    code, output = oppman(checkout, "sqlite://", "lint")
    assert (code, "nothing to say" in output) == (0, True), output
