"""oppman.py after the environment stands: finds the command, runs it, and says in one line what went wrong."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, NoReturn

# Boxes and colours are for people; Typer would draw them into files and pipes too.
os.environ.setdefault("TYPER_USE_RICH", str(sys.stdout.isatty() and sys.stderr.isatty()))

import typer
from typer.core import TyperCommand, TyperGroup

from app import features
from app.errors import UserError

# What --help lists. The modules are imported when called: they bring SQLAlchemy, FastAPI and Alembic along.
COMMANDS = {
    "start": "Set up what is missing and serve: the first command after a clone.",
    "runserver": "Serve; nothing is set up or changed.",
    "migrate": "Change the database's schema, or say where it is.",
    "db": "Ask the database how it is; run a PostgreSQL of your own, without Docker.",
    "feature": "Begin a feature of your own.",
    "files": "List the files that no row names, and remove them.",
    # demo
    "demo": "Load the demo's rows, delete them, or take the demo out.",
    # /demo
    "test": "Run the tests on SQLite and PostgreSQL.",
    "check": "Lint, format, types, lock file: what CI runs besides the tests.",
    "secret": "Print a new SECRET_KEY.",
}


# A feature's own, in its commands.py: the name is the feature's.
FEATURE_COMMANDS = {
    name: f"{import_module(f'app.features.{name}').__doc__}"
    for name in features.FEATURES
    if find_spec(f"app.features.{name}.commands")
}


class LazyGroup(TyperGroup):
    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override] # Typer's own click
        return [*COMMANDS, *FEATURE_COMMANDS]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """For the help page: the name and its line."""
        line = COMMANDS.get(cmd_name) or FEATURE_COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=line) if line else None

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def] # private types of Typer
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS or name in FEATURE_COMMANDS:
            command = load(name)
        return name, command, rest


def load(name: str) -> TyperCommand | TyperGroup:
    """The command, with what it imports."""
    if name in FEATURE_COMMANDS:
        features.modules("models")  # what one of them changes, another records
    place = f"app.cli.{name}" if name in COMMANDS else f"app.features.{name}.commands"
    return typer.main.get_command(import_module(place).app)  # type: ignore[return-value] # Typer's own click


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
