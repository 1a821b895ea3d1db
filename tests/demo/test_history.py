"""A revision is put onto others by one line."""

import pytest

from app.cli.demo.history import ancestors, following, going
from app.db.migrations import revisions


@pytest.mark.parametrize(
    ("source", "names", "expected"),
    [
        ('down_revision = "a"\n', ("b",), 'down_revision = "b"\n'),
        ('down_revision: str | None = "a"  # why\n', ("b",), 'down_revision: str | None = "b"  # why\n'),
        ('down_revision = (\n    "a",\n    "c",\n)\nx = 1\n', ("b", "c"), 'down_revision = ("b", "c")\nx = 1\n'),
        ('down_revision = "a"\n', (), "down_revision = None\n"),
        ('"""m\n\nRevises: a\n"""\ndown_revision = "a"\n', ("b",), '"""m\n\nRevises: b\n"""\ndown_revision = "b"\n'),
    ],
)
def test_only_the_place_of_a_revision_changes(source: str, names: tuple[str, ...], expected: str) -> None:
    assert following(source, names) == expected


def test_the_nearest_that_stay_are_found_behind_those_that_go() -> None:
    gone = going()
    newest = [script.revision for script in revisions.history() if script.revision in gone][-1]
    [nearest] = ancestors(newest)
    assert nearest not in gone
    assert ancestors(nearest) == (nearest,)
    assert set(ancestors((nearest, newest))) == {nearest}
