"""What is applied and what is pending, for people and for machines."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from alembic.script import Script
from sqlalchemy import Connection

from app.db.migrations import journal, revisions


@dataclass(frozen=True)
class Step:
    revision: str
    message: str
    is_contract: bool
    applied_at: datetime | None = None
    duration_ms: int | None = None
    host: str | None = None


@dataclass(frozen=True)
class Status:
    applied: list[Step]
    pending: list[Step]
    unknown: list[str]  # of newer code

    def as_dict(self) -> dict[str, Any]:  # Any: for JSON
        found = asdict(self)
        for step in found["applied"] + found["pending"]:
            step["applied_at"] = step["applied_at"].isoformat() if step["applied_at"] else None
        return found


def read_status(connection: Connection) -> Status:
    """Errors: DatabaseStranded."""
    at = revisions.current(connection)
    known = {script.revision for script in revisions.history()}
    entries = journal.last_upgrades(connection)
    waiting = {script.revision for script in _pending(at)}
    steps = [_step(script, entries.get(script.revision)) for script in revisions.history()]
    return Status(
        applied=[step for step in steps if step.revision not in waiting],
        pending=[step for step in steps if step.revision in waiting],
        unknown=sorted(at - known),
    )


def _pending(at: set[str]) -> list[Script]:
    try:
        return revisions.pending(at)
    except revisions.DatabaseAhead:
        return []


def _step(script: Script, entry: journal.Entry | None) -> Step:
    contract = revisions.is_contract(script)
    if entry is None:
        return Step(script.revision, script.doc, contract)
    return Step(script.revision, script.doc, contract, entry.applied_at, entry.duration_ms, entry.host)
