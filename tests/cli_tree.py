"""All of oppman's commands, read from the program itself."""

from importlib import import_module

from typer.core import TyperGroup
from typer.main import get_command

from app.cli.main import COMMANDS


def _names(command: str) -> list[str]:
    built = get_command(import_module(f"app.cli.{command}").app)
    names = built.list_commands(None) if isinstance(built, TyperGroup) else []  # type: ignore[arg-type] # it looks at none
    return [f"{command} {name}" for name in names] or [command]


ALL_COMMANDS = [name for command in COMMANDS for name in _names(command)]
