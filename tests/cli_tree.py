"""All of oppman's commands, read from the program itself."""

from importlib import import_module

from typer.main import get_command

from app.cli.main import COMMANDS


def _names(command: str) -> list[str]:
    built = get_command(import_module(f"app.cli.{command}").app)
    return [f"{command} {name}" for name in getattr(built, "commands", {})] or [command]


ALL_COMMANDS = [name for command in COMMANDS for name in _names(command)]
