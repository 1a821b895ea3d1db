"""All of oppman's commands, read from the program itself."""

from typer.core import TyperGroup

from app.cli.main import COMMANDS, FEATURE_COMMANDS, load


def _names(command: str) -> list[str]:
    built = load(command)
    names = built.list_commands(None) if isinstance(built, TyperGroup) else []  # type: ignore[arg-type] # it looks at none
    return [f"{command} {name}" for name in names] or [command]


ALL_COMMANDS = [name for command in (*COMMANDS, *FEATURE_COMMANDS) for name in _names(command)]
