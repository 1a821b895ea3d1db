"""Two lines of revisions that were begun at the same time, made one: the second follows the first."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic.script import Script

from app.db.migrations import environment, revisions
from app.errors import UserError
from app.settings import Settings

# As alembic.ini names the files: they sort in the order in which they are applied.
STAMP = "%Y-%m-%d-%H%M%S"
NAME = re.compile(r"(\d{4}-\d\d-\d\d-\d{6})(_.*)")
FOLLOWS = re.compile(r"^(down_revision\b[^=\n]*=).*$", re.MULTILINE)
REVISES = re.compile(r"^(Revises:).*$", re.MULTILINE)


class CannotRebase(UserError):
    """The revisions are as they were."""


def rebase(settings: Settings, head: str | None) -> tuple[list[Script], str]:
    """Let the line that ends with that head follow the other one. Returns what was moved, and behind what.

    Without a head: the line that the database has not had; where it has had neither, the newer one.
    Errors: CannotRebase, also where the database has had what would be moved; DatabaseAhead; DatabaseStranded.
    """
    lines = _lines()
    waiting = {script.revision for script in revisions.pending(environment.on_connection(settings, revisions.current))}
    moved = _named(lines, head) if head else _to_move(lines, waiting)
    [other] = [line for line in lines if line is not moved]
    applied = [script.revision for script in moved if script.revision not in waiting]
    if applied:
        raise CannotRebase(
            f"the database at DATABASE_URL has had {', '.join(applied)}, which would be edited: rebase "
            f"{other[-1].revision}, or run oppman.py migrate merge"
        )
    _follow(moved[0], other[-1].revision)
    _name_behind(Path(other[-1].path), [Path(script.path) for script in moved])
    revisions.scripts.cache_clear()
    return moved, other[-1].revision


def _lines() -> list[list[Script]]:
    """Of each head the revisions that the other one does not follow, oldest first."""
    heads = sorted(revisions.heads())
    if len(heads) != 2:
        raise CannotRebase(f"there is no pair of heads, but {len(heads)}: {', '.join(heads)}")
    first, second = (
        {found.revision for found in revisions.scripts().iterate_revisions(head, "base")} for head in heads
    )
    history = revisions.history()
    return [[script for script in history if script.revision in own] for own in (first - second, second - first)]


def _named(lines: list[list[Script]], head: str) -> list[Script]:
    found = revisions.find(head)
    for line in lines:
        if line[-1].revision == found.revision:
            return line
    raise CannotRebase(f"{head} is not one of the heads: {', '.join(line[-1].revision for line in lines)}")


def _to_move(lines: list[list[Script]], waiting: set[str]) -> list[Script]:
    untouched = [line for line in lines if all(script.revision in waiting for script in line)]
    if not untouched:
        raise CannotRebase("the database at DATABASE_URL has had revisions of both lines: run oppman.py migrate merge")
    return max(untouched, key=lambda line: Path(line[-1].path).name)


def _follow(script: Script, onto: str) -> None:
    if script.is_merge_point:
        raise CannotRebase(f"{script.revision} joins other revisions: run oppman.py migrate merge")
    path = Path(script.path)
    text, found = FOLLOWS.subn(rf'\1 "{onto}"', path.read_text(encoding="utf-8"), count=1)
    if not found:
        raise CannotRebase(f"{path} has no line that begins with down_revision: write it in one line")
    path.write_text(REVISES.sub(rf"\1 {onto}", text, count=1), encoding="utf-8")


def _name_behind(last: Path, moved: list[Path]) -> None:
    """Give the files a new date, where they would not sort behind that one. Other names are nobody's to change."""
    before, names = NAME.fullmatch(last.name), [NAME.fullmatch(path.name) for path in moved]
    if before is None or moved[0].name > last.name:
        return
    stamp = max(datetime.now(UTC), datetime.strptime(before[1], STAMP).replace(tzinfo=UTC))
    for path, name in zip(moved, names, strict=True):
        stamp += timedelta(seconds=1)
        if name is not None:
            path.rename(path.with_name(f"{stamp:{STAMP}}{name[2]}"))
