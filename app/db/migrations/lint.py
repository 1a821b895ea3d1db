"""What may hurt in a revision: squawk reads its SQL, and what was observed corrects and completes it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from app.db.migrations import revisions
from app.db.migrations.plan import Planned, plan
from app.errors import UserError
from app.settings import Settings

# squawk's rules that do not apply here.
NOT_HERE = (
    "require-lock-timeout",  # deploy.py sets it
    "require-statement-timeout",
    "prefer-robust-stmts",  # a step is one transaction
    "prefer-bigint-over-int",  # taste
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-text-field",
    "ban-drop-table",  # losses.py and rehearsal.py see to what is dropped
    "ban-drop-column",
)
REWRITE_RULES = {"changing-column-type"}  # false for a wider varchar and the like: we have seen whether it rewrites


class LintFound(UserError):
    """A revision may hurt."""

    exit_code = 7


def lint(settings: Settings, only: str | None = None) -> list[str]:
    """A line for each finding, in all revisions or in that one.

    Errors: UserError where squawk is not installed.
    """
    steps = plan(settings, [script for script in revisions.history() if only in (None, script.revision)])
    return [f"{step.revision}: {line}" for step in steps for line in _of(step)]


def _of(step: Planned) -> Iterator[str]:
    for rule, message in _squawk(step.sql):
        if rule not in REWRITE_RULES or step.effects.rewritten:
            yield f"{message} ({rule})"
    for table in sorted(step.effects.rewritten):
        yield f"writes all of {table} anew, and stops everybody meanwhile: add a column, backfill it, switch (rewrite)"
    # A foreign key locks two tables by nature, and stops no reader of either.
    stopped = sorted(table for table, modes in step.effects.locks.items() if "AccessExclusiveLock" in modes)
    if len(stopped) > 1:
        yield f"stops {', '.join(stopped)} in one transaction: make a revision for each (several-tables)"
    yield from (f"{failure} (fails-over-rows)" for failure in step.effects.failures)


def _squawk(sql: str) -> Iterator[tuple[str, str]]:
    program = Path(sys.executable).with_name("squawk.exe" if sys.platform == "win32" else "squawk")
    if not program.exists():
        raise UserError("squawk is not installed: run uv sync --inexact --group dev")
    command = [str(program), "--reporter", "json", "--exclude", ",".join(NOT_HERE), "--stdin-filepath", "step.sql"]
    if "CONCURRENTLY" not in sql:
        command.append("--assume-in-transaction")  # as deploy.py runs it
    result = subprocess.run(command, input=f"{sql};\n", capture_output=True, text=True, check=False)
    for found in json.loads(result.stdout or "[]"):
        yield found["rule_name"], " ".join(f"{found['message']} {found['help'] or ''}".split())
