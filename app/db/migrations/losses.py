"""What a revision does and takes away, read from its file."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from alembic.script import Script
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from app.db.migrations import revisions


def names_in(script: Script, *operations: str, of: Literal["upgrade", "downgrade"] = "upgrade") -> set[str]:
    """The texts that one of its functions hands to these operations."""
    return {
        argument.value
        for call in _calls(script, of)
        if _name(call) in operations
        for argument in ast.walk(call)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def does_something(script: Script, of: Literal["upgrade", "downgrade"]) -> bool:
    """Whether that function is more than ``pass``."""
    return bool(_calls(script, of))


def of_downgrade(revision: str, connection: Connection) -> list[str]:
    """The tables and columns, with rows in them, that going back to that revision would drop."""
    at = revisions.current(connection)
    try:
        going = [
            script
            for script in revisions.scripts().iterate_revisions(tuple(at), revision)
            if script.revision != revision
        ]
    except CommandError:
        going = []  # Alembic will say what is wrong with it
    return [line for script in going for line in _lost_by(script, connection)]


def _lost_by(script: Script, connection: Connection) -> Iterator[str]:
    inspector = inspect(connection)
    tables = set(inspector.get_table_names())
    dropped = names_in(script, "drop_table", of="downgrade") & tables
    columns = names_in(script, "drop_column", of="downgrade")
    touched = names_in(script, "drop_column", "batch_alter_table", of="downgrade") & tables
    for table in sorted(dropped | touched):
        rows = connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0
        if rows and table in dropped:
            yield f"table {table} with {rows} rows"
        elif rows:
            for column in sorted(columns & {found["name"] for found in inspector.get_columns(table)}):
                yield f"column {table}.{column} of {rows} rows"


def _calls(script: Script, function: str) -> list[ast.Call]:
    tree = ast.parse(Path(script.path).read_text(encoding="utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    return [node for node in ast.walk(body) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    """op.execute(…) is "execute", as is execute(…)."""
    return ast.unparse(call.func).rpartition(".")[2]
