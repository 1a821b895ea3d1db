"""The commands of ``oppman.py migrate`` for those who write revisions."""

import asyncio
import sys
from datetime import timedelta
from functools import partial
from typing import Annotated

import typer
from alembic import command
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from app.cli.alembic_commands import DRIFT, Drift, alembic
from app.db.base import Base
from app.db.migrations import environment, portable, renames, revisions, throwaway
from app.db.migrations.backfill import BATCH, Backfill, Progress
from app.db.migrations.backfill import run as run_backfill
from app.db.migrations.lint import LintFound, lint
from app.db.migrations.plan import STOPS, Busy, busy
from app.db.migrations.plan import plan as make_plan
from app.db.migrations.rebase import rebase as make_rebase
from app.db.migrations.rehearsal import rehearse
from app.db.migrations.review import points
from app.db.migrations.snapshot import changed_by_hand, drift
from app.db.migrations.squash import squash as make_squash
from app.db.session import Database
from app.errors import UserError
from app.features import modules
from app.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

TELL_EVERY_SECONDS = 5.0  # where there is no terminal


@app.command(epilog='Example: python3 oppman.py migrate create "add nickname to users"')
def create(
    message: Annotated[str, typer.Argument(help="What it does, in a few words.")],
    empty: Annotated[bool, typer.Option("--empty", help="Without looking at the models.")] = False,
    rename: Annotated[list[str] | None, typer.Option(help="users.nick:nickname, or users:people; repeatable.")] = None,
) -> None:
    """Write a new revision: what the models have and the revisions have not. Read it before you run it."""
    if not message.strip():
        raise UserError('say what it does: oppman.py migrate create "add nickname to users"')
    revisions.require_one_head()
    known = revisions.heads()
    answers = dict(map(_rename, rename or []))
    if revisions.pending(environment.on_connection(load_settings(), revisions.current)):
        raise Drift("the database is not up to date: run oppman.py migrate upgrade")
    review: list[str] = []
    if empty:
        alembic(command.revision, message)
    else:
        _write(message, answers, review)
    revisions.scripts.cache_clear()
    for new in revisions.heads() - known:
        _prove(new, review)


def _rename(text: str) -> tuple[str, str]:
    old, colon, new = text.partition(":")
    table, dot, _ = old.partition(".")
    if not (colon and table and new):
        raise typer.BadParameter(f"{text}: write users.nick:nickname, or users:people")
    return old, f"{table}.{new.rpartition('.')[2]}" if dot else new


def _write(message: str, answers: dict[str, str], review: list[str]) -> None:
    """By a throwaway PostgreSQL: it says exactly what there is, and SQLite does not (a UUID is CHAR(32) there)."""

    def rewrite(_context: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
        upgrade, downgrade = scripts[0].upgrade_ops, scripts[0].downgrade_ops
        assert upgrade is not None
        assert downgrade is not None
        if upgrade.is_empty():
            raise UserError("the models have nothing that the revisions have not: --empty writes one to fill by hand")
        renames.apply(upgrade, answers, _was_renamed)
        portable.refuse_all(upgrade)
        portable.tidy(upgrade.reverse_into(downgrade))
        review.extend(points(upgrade))

    modules("models")
    _tell("comparing the models with the revisions on a throwaway PostgreSQL")
    with throwaway.databases() as make:
        made = make("postgresql")
        throwaway.migrate(made)
        alembic(command.revision, message, settings=made, autogenerate=True, process_revision_directives=rewrite)


def _was_renamed(old: str, new: str) -> bool:
    if sys.stdin.isatty():
        return typer.confirm(f"was {old} renamed to {new}?")
    print(f"the data of {old} goes; if it was renamed, delete the file and say --rename {old}:{new}")
    return False


def _prove(new: str, review: list[str]) -> None:
    print(f"trying {new} on SQLite and PostgreSQL, up, down and up again …", flush=True)
    problems = rehearse(new)
    for problem in problems:
        print(f"  {problem}")
    print("it holds" if not problems else "mend it before you run it")
    print("to review:")
    for line in [*review, *lint(throwaway.anywhere(), new)] or ["nothing special"]:
        print(f"  {line}")


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
    only = revisions.find(revision).revision if revision else None
    _tell("trying the revisions on a throwaway PostgreSQL")
    found = lint(throwaway.anywhere(), only)
    for line in found:
        print(line)
    if found:
        raise LintFound(f"{len(found)} findings: mend them, or know why not")
    print("nothing to say")


@app.command(name="test", epilog="Example: python3 oppman.py migrate test")
def try_revisions(revision: Annotated[str | None, typer.Argument(help="Only that one.")] = None) -> None:
    """Try every revision up, down and up again, over tables with rows, on throwaway databases of both kinds."""
    only = revisions.find(revision).revision if revision else None
    _tell("up, down and up again, on SQLite and PostgreSQL")
    problems = rehearse(only)
    for problem in problems:
        print(problem)
    if problems:
        raise UserError(f"{len(problems)} problems: mend the revisions before anybody applies them")
    print(f"{only or 'every revision'} goes up, down and up again, on SQLite and PostgreSQL, and loses nothing")


def check_deep(settings: Settings) -> None:
    """Errors: Drift."""
    _tell("comparing catalogs with throwaway databases")
    modules("models")
    drifted, by_hand = drift(Base.metadata), changed_by_hand(settings)
    for line in drifted:
        print(f"revisions and models: {line}")
    for line in by_hand:
        print(f"this database: {line}")
    if drifted:
        raise Drift(f"{len(drifted)} differences between what the revisions make and what the models describe")
    if by_hand:
        raise Drift(
            f"this database was changed by hand, in {len(by_hand)} places: take that back, or write a revision for it "
            "(oppman.py migrate create --empty) that leaves alone what is there already"
        )


@app.command(epilog="Example: python3 oppman.py migrate backfill fill-nickname")
def backfill(
    name: Annotated[str | None, typer.Argument(help="Leave it out for a list.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Rows in a transaction.")] = BATCH,
) -> None:
    """Move much data, in batches: a function of a feature (backfills.py). It goes on where it was stopped."""
    modules("models")  # what is changed here is recorded there
    known = {key: function for feature in modules("backfills") for key, function in feature.BACKFILLS.items()}
    if name is None:
        print("\n".join(known) or "no feature has a backfills.py")
        return
    if name not in known:
        raise UserError(f"there is no backfill of that name; there are: {', '.join(known) or 'none'}")
    found = asyncio.run(_backfill(name, known[name], batch))
    print(f"finished after {found.batches} batches, {found.seconds:.1f} s of them now")


async def _backfill(name: str, function: Backfill, batch: int) -> Progress:
    told = -TELL_EVERY_SECONDS

    def tell(found: Progress) -> None:
        nonlocal told
        if sys.stderr.isatty():
            end = "\n" if found.finished else ""
            print(f"\r{_bar(found):<78}", end=end, file=sys.stderr, flush=True)
        elif found.seconds - told >= TELL_EVERY_SECONDS:
            told = found.seconds
            print(_bar(found), file=sys.stderr, flush=True)

    database = Database.open(load_settings())
    try:
        return await run_backfill(database, name, function, tell, batch)
    finally:
        await database.close()


def _bar(found: Progress) -> str:
    # Not Typer's: after a resume its time left counts what was done before.
    bar = f"[{'#' * int(found.share * 30):<30}] {found.share:4.0%}"
    if found.seconds_left is None:
        return bar
    return f"{bar}  {found.rows_per_second:.0f} rows/s  {timedelta(seconds=round(found.seconds_left))} left"


@app.command(epilog="Example: python3 oppman.py migrate squash")
def squash(
    up_to: Annotated[str | None, typer.Option(metavar="REVISION", help="The last to replace; else the newest.")] = None,
) -> None:
    """Replace many revisions by one that makes the same schema, where every database has had them."""
    settings = load_settings()
    _tell("writing one from the models, and comparing catalogs on throwaway databases")
    script = make_squash(settings, up_to)
    print(f"{len(revisions.replaces(script))} revisions are one now, {script.path}")
    for problem in rehearse(script.revision):
        print(f"  mend it before you commit it: {problem}")
    print(f"deploy it when every database has reached {script.revision}; upgrade refuses one that has not")


@app.command(epilog="Example: python3 oppman.py migrate rebase")
def rebase(
    revision: Annotated[
        str | None, typer.Argument(help="The head to move; else what is not applied, or newer.")
    ] = None,
) -> None:
    """Let one of two heads follow the other, where no database has had it: its revisions are edited."""
    moved, onto = make_rebase(load_settings(), revision)
    print(f"{', '.join(script.revision for script in moved)} now behind {onto}; try it there: oppman.py migrate test")


def _tell(what: str) -> None:
    print(f"oppman: {what} …", file=sys.stderr, flush=True)
