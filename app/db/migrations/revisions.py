"""Which revisions there are, and where a database is among them."""

import re
import sys
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from app.errors import UserError
from app.settings import ROOT

State = Literal["empty", "behind", "head", "ahead"]

# The lines of a revision's file that say what it follows.
PLACE = rb"^(down_revision\b|Revises:).*\n"


class UnknownRevision(UserError):
    """No file has that id."""


class TwoHeads(UserError):
    """Two revisions follow the same one, and none follows both."""

    exit_code = 4


class DatabaseAhead(UserError):
    """The database is at a revision that this code does not have."""

    exit_code = 6


class DatabaseStranded(UserError):
    """The database is at a revision that another one has replaced, which is neither before nor behind it."""

    exit_code = 9


def config() -> Config:
    """Alembic's configuration, whatever folder one stands in."""
    return Config(ROOT / "alembic.ini", stdout=sys.stdout)  # the default is bound when Alembic is imported


@cache
def scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())


def heads() -> set[str]:
    """The newest revisions that this code knows."""
    return set(scripts().get_heads())


def require_one_head() -> str:
    """Errors: TwoHeads."""
    found = sorted(heads())
    if len(found) > 1:
        raise TwoHeads(f"there are {len(found)} heads, {' and '.join(found)}: run oppman.py migrate rebase, or merge")
    return found[0]


def find(name: str) -> Script:
    """The revision of that id, or of the only id that begins so, or "head".

    Errors: UnknownRevision.
    """
    try:
        found = scripts().get_revision(name)
    except CommandError as error:
        raise UnknownRevision(f"{error}; all of them: oppman.py migrate history") from error
    if found is None:
        raise UnknownRevision(f"{name} is no revision; all of them: oppman.py migrate history")
    return found


def history() -> list[Script]:
    """All revisions, oldest first."""
    return list(reversed(list(scripts().walk_revisions())))


def current(connection: Connection) -> set[str]:
    """The revisions that the database is at; empty before the first migration."""
    return set(MigrationContext.configure(connection).get_current_heads())


def pending(at: set[str]) -> list[Script]:
    """What a database at these revisions has not had, oldest first.

    Errors: DatabaseAhead; DatabaseStranded.
    """
    known = {script.revision for script in history()}
    unknown = sorted(at - known)
    for script in history() if unknown else ():
        if replaces(script).keys() & unknown:
            raise DatabaseStranded(
                f"the database is at {', '.join(unknown)}, in the middle of what {script.revision} replaces: "
                "upgrade with the release before that, then with this one; nothing was changed"
            )
    if unknown:
        raise DatabaseAhead(
            f"the database is at {', '.join(unknown)}, which this code does not have: deploy the newer code; "
            "nothing was changed"
        )
    applied = {script.revision for script in scripts().iterate_revisions(tuple(at), "base")} if at else set()
    return [script for script in history() if script.revision not in applied]


def is_contract(script: Script) -> bool:
    """Whether it takes away what the code before it still uses: ``phase = "contract"`` in the revision."""
    return getattr(script.module, "phase", "expand") == "contract"


def replaces(script: Script) -> dict[str, str]:
    """The revisions that were squashed into this one, itself among them, and the hashes of their files."""
    return dict(getattr(script.module, "replaces", {}))


def without_contract(waiting: Sequence[Script]) -> list[Script]:
    """Those up to the first contract step."""
    for number, script in enumerate(waiting):
        if is_contract(script):
            return list(waiting[:number])
    return list(waiting)


def state(connection: Connection) -> State:
    """Where the database's schema is, compared with what this code needs.

    Contract steps may wait: the code works before and after them. A revision that this code does not know was made
    by a newer one: the database is ahead, which is fine for a service. One that was squashed away is behind.
    """
    at = current(connection)
    if not at:
        return "empty"
    try:
        waiting = pending(at)
    except DatabaseAhead:
        return "ahead"
    except DatabaseStranded:
        return "behind"
    return "behind" if without_contract(waiting) else "head"


def file_hash(script: Script) -> str:
    """SHA-256 of what a revision does, whatever its line ends, and whatever it follows.

    Its place in the history may change: when revisions before it go, it follows another one.
    """
    return sha256(re.sub(PLACE, b"", _content(script), flags=re.MULTILINE)).hexdigest()


def file_hashes(script: Script) -> set[str]:
    """Those that may be in a migration_log: earlier code took the whole file."""
    return {file_hash(script), sha256(_content(script)).hexdigest()}


def _content(script: Script) -> bytes:
    return Path(script.path).read_bytes().replace(b"\r\n", b"\n")
