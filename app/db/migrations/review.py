"""What a person looks at in a new revision."""

from collections.abc import Iterator

from alembic.operations import MigrateOperation, ops

from app.db.migrations.renames import RenameColumn, RenameTable

TWO_DEPLOYS = "older code still uses it: see docs/MIGRATIONS.md, Taking something away"


def points(operations: ops.OpContainer) -> list[str]:
    """A line for each change that may lose data, fail over rows, or break older code."""
    return [line for operation in operations.ops for line in _of(operation)]


def _of(operation: MigrateOperation) -> Iterator[str]:
    match operation:
        case ops.ModifyTableOps():
            yield from points(operation)
        case RenameTable():
            yield f"table {operation.old} becomes {operation.new}: {TWO_DEPLOYS}"
        case ops.DropTableOp():
            yield f"table {operation.table_name} goes, with its data; {TWO_DEPLOYS}"
        case ops.DropColumnOp():
            yield f"{operation.table_name}.{operation.column_name} goes, with its data; {TWO_DEPLOYS}"
        case ops.AddColumnOp(column=column) if not column.nullable and column.server_default is None:
            yield f"{operation.table_name}.{column.name} is NOT NULL: rows that are there need a server_default"
        case ops.AddColumnOp(column=column) if not column.nullable:
            yield f"{operation.table_name}.{column.name} is NOT NULL: rows that are there get its server_default"
        case ops.AlterColumnOp():
            yield from _of_column(operation)


def _of_column(operation: ops.AlterColumnOp) -> Iterator[str]:
    name = f"{operation.table_name}.{operation.column_name}"
    if isinstance(operation, RenameColumn):
        yield f"{name} becomes {operation.modify_name}: {TWO_DEPLOYS}"
    if operation.modify_nullable is False:
        yield f"{name} becomes NOT NULL: it fails where a row has nothing there; backfill it first"
    if operation.modify_type is not None:
        yield f"{name} becomes {operation.modify_type!r}: does every row fit?"
