"""Which revisions there are, and where a database is among them."""

import sys
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from app.errors import UserError
from app.settings import ROOT

State = Literal["empty", "behind", "head", "ahead"]


class TwoHeads(UserError):
    """Two revisions follow the same one, and none follows both."""

    exit_code = 4


class DatabaseAhead(UserError):
    """The database is at a revision that this code does not have."""

    exit_code = 6


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
        raise TwoHeads(f"there are {len(found)} heads, {' and '.join(found)}: run oppman.py migrate merge")
    return found[0]


def history() -> list[Script]:
    """All revisions, oldest first."""
    return list(reversed(list(scripts().walk_revisions())))


def current(connection: Connection) -> set[str]:
    """The revisions that the database is at; empty before the first migration."""
    return set(MigrationContext.configure(connection).get_current_heads())


def pending(at: set[str]) -> list[Script]:
    """What a database at these revisions has not had, oldest first.

    Errors: DatabaseAhead.
    """
    known = {script.revision for script in history()}
    unknown = sorted(at - known)
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


def without_contract(waiting: Sequence[Script]) -> list[Script]:
    """Those up to the first contract step."""
    for number, script in enumerate(waiting):
        if is_contract(script):
            return list(waiting[:number])
    return list(waiting)


def state(connection: Connection) -> State:
    """Where the database's schema is, compared with what this code needs.

    Contract steps may wait: the code works before and after them. A revision that this code does not know was made
    by a newer one: the database is ahead, which is fine for a service.
    """
    at = current(connection)
    if not at:
        return "empty"
    try:
        waiting = pending(at)
    except DatabaseAhead:
        return "ahead"
    return "behind" if without_contract(waiting) else "head"


def file_hash(script: Script) -> str:
    """SHA-256 of a revision's file, whatever its line ends."""
    return sha256(Path(script.path).read_bytes().replace(b"\r\n", b"\n")).hexdigest()
