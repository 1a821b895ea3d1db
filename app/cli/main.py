"""oppman.py after the environment stands: finds the command, runs it, and says in one line what went wrong."""

import os
import sys
from importlib import import_module
from typing import Annotated, NoReturn

# Boxes and colours are for people; Typer would draw them into files and pipes too.
os.environ.setdefault("TYPER_USE_RICH", str(sys.stdout.isatty() and sys.stderr.isatty()))

import typer
from typer.core import TyperCommand, TyperGroup

from app.errors import UserError

# What --help lists. The modules are imported when called: they bring SQLAlchemy, FastAPI and Alembic along.
COMMANDS = {
    "start": "Set up what is missing and serve: the first command after a clone.",
    "runserver": "Serve; nothing is set up or changed.",
    "migrate": "Change the database's schema, or say where it is.",
    "db": "Ask the database how it is; run a PostgreSQL of your own, without Docker.",
    "test": "Run the tests on SQLite and PostgreSQL.",
    "check": "Lint, format, types, lock file: what CI runs besides the tests.",
    "secret": "Print a new SECRET_KEY.",
}


class LazyGroup(TyperGroup):
    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override] # Typer's own click
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """For the help page: the name and its line."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def] # private types of Typer
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            module = import_module(f"app.cli.{name}")
            command = typer.main.get_command(module.app)
        return name, command, rest


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(epilog="Example: python3 oppman.py start")
def options(
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where a failure comes from.")] = False,
) -> None:
    """A web service on SQLite or PostgreSQL."""


def main() -> NoReturn:
    command = typer.main.get_command(app)
    arguments = [argument for argument in sys.argv[1:] if argument != "--traceback"]  # wherever it stands
    try:
        command.main(arguments, prog_name="oppman.py")
    except Exception as error:
        if "--traceback" in sys.argv:
            raise
        print(f"oppman: {_one_line(error)}", file=sys.stderr)
        sys.exit(error.exit_code if isinstance(error, UserError) else 1)
    sys.exit(0)


def _one_line(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error).replace("\n", "\noppman: ")  # settings: a line for each
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.filename} may not be read or written: take a folder of your own, or ask for the right"
    reason = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {reason} (to see where: oppman.py --traceback COMMAND)"
