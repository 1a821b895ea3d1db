import asyncio
import sys
from typing import Annotated

import typer

from app.cli.demo.removal import carry_out, make_plan
from app.cli.demo.rows import clear_demo, count_in, load_many
from app.cli.samples import load_samples
from app.db.migrations import environment
from app.errors import UserError
from app.features import DEMO
from app.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Load the demo's rows, delete them, or take the demo out."
)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command(epilog="Example: python3 oppman.py demo load --rows 1000000")
def load(
    rows: Annotated[int, typer.Option(min=0, help="So many more in each table that can have them.")] = 0,
    seed: Annotated[int, typer.Option(help="Others, for another number.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", help="In production, too.")] = False,
) -> None:
    """Load sample rows into the demo's tables, where they are empty. The same rows each time, the keys too."""
    settings = load_settings()
    if settings.environment == "production" and not yes:
        raise UserError("demo rows are not for production: if you want them there, add --yes")
    loaded, found = asyncio.run(load_samples(settings, DEMO))
    for table, number in loaded.items():
        print(f"loaded {number} rows into {table}")
    for table, number in found.items():
        print(f"{table} has {number} rows already: no samples loaded")
    if rows:
        added = asyncio.run(load_many(settings, rows, seed, _tell))
        print("\n".join(f"added {number} rows to {table}" for table, number in added.items()) or "nothing to add")


def _tell(table: str, done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{table}: {done:,} rows ", end="", file=sys.stderr, flush=True)


@app.command(epilog="Example: python3 oppman.py demo clear")
def clear(yes: Yes = False) -> None:
    """Delete all rows of the demo's tables, also those that people made there."""
    settings = load_settings()
    found = {table: rows for table, rows in environment.on_connection(settings, count_in).items() if rows}
    if not found:
        print("the demo's tables are empty")
        return
    for table, number in found.items():
        print(f"goes: {number} rows of {table}, whoever made them")
    confirm(yes, settings.environment == "production")
    asyncio.run(clear_demo(settings))
    print(f"deleted {sum(found.values())} rows")


@app.command(epilog="Example: python3 oppman.py demo remove")
def remove(
    yes: Yes = False,
    keep_database: Annotated[bool, typer.Option("--keep-database", help="Leave its tables as they are.")] = False,
) -> None:
    """Take the demo out of this checkout and of its database, for good. Refused where git knows of changes."""
    settings = load_settings()
    plan = make_plan(settings, keep_database=keep_database)
    print("\n".join(plan.lines()))
    if not yes:
        confirm(yes, settings.environment == "production")
    carry_out(plan, settings)


def confirm(yes: bool, production: bool) -> None:
    """Errors: UserError where nobody can be asked, and in production."""
    if yes:
        return
    if production or not sys.stdin.isatty():
        raise UserError("data would go: to go on, add --yes")
    typer.confirm("Go on?", abort=True)
