"""The commands of ``oppman.py migrate`` for those who write revisions."""

import asyncio
import sys
from functools import partial
from typing import Annotated

import typer
from alembic import command

from app.cli.alembic_commands import DRIFT, Drift, alembic
from app.db.base import Base
from app.db.migrations import environment, revisions, throwaway
from app.db.migrations.backfill import BATCH, Backfill, Progress
from app.db.migrations.backfill import run as run_backfill
from app.db.migrations.lint import LintFound, lint
from app.db.migrations.plan import STOPS, Busy, busy
from app.db.migrations.plan import plan as make_plan
from app.db.migrations.rehearsal import rehearse
from app.db.migrations.snapshot import drift
from app.db.session import Database
from app.errors import UserError
from app.features import modules
from app.settings import load_settings

app = typer.Typer(add_completion=False)


@app.command(epilog='Example: python3 oppman.py migrate create "add nickname to users"')
def create(
    message: Annotated[str, typer.Argument(help="What it does, in a few words.")],
    empty: Annotated[bool, typer.Option("--empty", help="Without looking at the models.")] = False,
) -> None:
    """Write a new revision: what the models have and the database has not. Read it before you run it."""
    revisions.require_one_head()
    known = revisions.heads()
    alembic(command.revision, message, autogenerate=not empty)
    revisions.scripts.cache_clear()
    for new in revisions.heads() - known:
        print(f"trying {new} on SQLite and PostgreSQL, up, down and up again …", flush=True)
        problems = rehearse(new)
        for problem in problems:
            print(f"  {problem}")
        print("it holds; read it before you run it" if not problems else "mend it before you run it")


@app.command(epilog="Example: python3 oppman.py migrate plan")
def plan() -> None:
    """Show what pending revisions would do: SQL, and the locks seen on a throwaway PostgreSQL. Exit code 3: pending."""
    settings = load_settings()
    waiting = revisions.pending(environment.on_connection(settings, revisions.current))
    _tell("trying the pending revisions on a throwaway PostgreSQL")
    steps = make_plan(settings, waiting)
    tables = {table for step in steps for table in step.effects.locks}
    real = environment.on_connection(settings, partial(busy, tables))
    for step in steps:
        print(f"{step.revision} {step.message}{' (contract)' if step.is_contract else ''}")
        for table, modes in sorted(step.effects.locks.items()):
            there = real.get(table, Busy(0, []))
            print(f"  {', '.join(sorted({STOPS[mode] for mode in modes}))}: {table}, {there.rows} rows now")
            for holder in there.holders:
                print(f"    in use by {holder}")
        for table in sorted(step.effects.rewritten):
            print(f"  writes all of {table} anew")
        for table in sorted(step.effects.scanned - step.effects.rewritten):
            print(f"  reads all of {table}")
        for failure in step.effects.failures:
            print(f"  fails over a table with rows: {failure}")
        print(f"  {'goes back' if step.goes_back else 'has no way back'}")
        print("\n".join(f"    {line}" for line in step.sql.splitlines()))
    if not steps:
        print("nothing is pending")
    else:
        raise typer.Exit(DRIFT)


@app.command(name="lint", epilog="Example: python3 oppman.py migrate lint")
def lint_revisions(revision: Annotated[str | None, typer.Argument(help="Only that one.")] = None) -> None:
    """Say what may hurt on a PostgreSQL with users: squawk's rules, and locks seen on a throwaway one. Exit code 7."""
    _tell("trying the revisions on a throwaway PostgreSQL")
    found = lint(throwaway.anywhere(), revision)
    for line in found:
        print(line)
    if found:
        raise LintFound(f"{len(found)} findings: mend them, or know why not")
    print("nothing to say")


@app.command(name="test", epilog="Example: python3 oppman.py migrate test")
def try_revisions(revision: Annotated[str | None, typer.Argument(help="Only that one.")] = None) -> None:
    """Try every revision up, down and up again, over tables with rows, on throwaway databases of both kinds."""
    _tell("up, down and up again, on SQLite and PostgreSQL")
    problems = rehearse(revision)
    for problem in problems:
        print(problem)
    if problems:
        raise UserError(f"{len(problems)} problems: mend the revisions before anybody applies them")
    print("every revision goes up, down and up again, on SQLite and PostgreSQL, and loses nothing")


def check_deep() -> None:
    """Errors: Drift."""
    _tell("comparing catalogs on throwaway databases")
    modules("models")
    lines = drift(Base.metadata)
    for line in lines:
        print(line)
    if lines:
        raise Drift(f"{len(lines)} differences between what the revisions make and what the models describe")


@app.command(epilog="Example: python3 oppman.py migrate backfill fill-nickname")
def backfill(
    name: Annotated[str | None, typer.Argument(help="Leave it out for a list.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Rows in a transaction.")] = BATCH,
) -> None:
    """Move much data, in batches: a function of a feature (backfills.py). It goes on where it was stopped."""
    known = {key: function for feature in modules("backfills") for key, function in feature.BACKFILLS.items()}
    if name is None:
        print("\n".join(known) or "no feature has a backfills.py")
        return
    if name not in known:
        raise UserError(f"there is no backfill of that name; there are: {', '.join(known) or 'none'}")
    found = asyncio.run(_backfill(name, known[name], batch))
    print(f"finished after {found.batches} batches, {found.seconds:.1f} s of them now")


async def _backfill(name: str, function: Backfill, batch: int) -> Progress:
    def tell(found: Progress) -> None:
        if sys.stderr.isatty():
            print(f"\r{found.batches} batches, {found.seconds:.0f} s", end="", file=sys.stderr, flush=True)

    database = Database.open(load_settings())
    try:
        return await run_backfill(database, name, function, tell, batch)
    finally:
        await database.close()


def _tell(what: str) -> None:
    print(f"oppman: {what} …", file=sys.stderr, flush=True)
