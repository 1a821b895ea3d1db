"""Renames: autogenerate sees what went and what came, and cannot know that they are one."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from sqlalchemy import CheckConstraint, Column, Constraint, Dialect, Index, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ColumnCollectionConstraint

from app.errors import UserError

Ask = Callable[[str, str], bool]  # was the first renamed to the second?

DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
GOING = (ops.DropConstraintOp, ops.DropIndexOp)


class NoSuchRename(UserError):
    """--rename names what did not go, or did not come."""


class RenameColumn(ops.AlterColumnOp):
    """With what else has changed of it."""

    def reverse(self) -> ops.AlterColumnOp:
        back = super().reverse()
        back.column_name, back.modify_name = self.modify_name or "", self.column_name
        return back


@dataclass(frozen=True)
class RenameTable(MigrateOperation):
    old: str
    new: str
    constraints: Mapping[str, str]
    indexes: Mapping[str, str]

    def reverse(self) -> "RenameTable":
        constraints, indexes = ({new: old for old, new in names.items()} for names in (self.constraints, self.indexes))
        return RenameTable(self.new, self.old, constraints, indexes)


@renderers.dispatch_for(RenameTable)
def _render(context: AutogenContext, operation: RenameTable) -> str:
    context.imports.add("from app.db.migrations import operations")
    names = f"constraints={operation.constraints!r}, indexes={operation.indexes!r}"
    return f"operations.rename_table({operation.old!r}, {operation.new!r}, {names})"


def apply(upgrade: ops.UpgradeOps, answers: Mapping[str, str], ask: Ask) -> None:
    """Put a rename in the place of a drop and an addition, where that was answered beforehand or is answered now.

    answers: "table" -> "table", "table.column" -> "table.column". ask: called for what fits, and is in no answer.
    Errors: NoSuchRename.
    """
    open_answers = dict(answers)

    def is_rename(old: str, new: str, fits: bool) -> bool:
        if old in answers or new in answers.values():
            return answers.get(old) == new and open_answers.pop(old) == new
        return fits and ask(old, new)

    for dropped in [operation for operation in upgrade.ops if isinstance(operation, ops.DropTableOp)]:
        for made in [operation for operation in upgrade.ops if isinstance(operation, ops.CreateTableOp)]:
            fits = _shape(dropped.to_table()) == _shape(made.to_table())
            is_open = dropped in upgrade.ops and made in upgrade.ops
            if is_open and is_rename(dropped.table_name, made.table_name, fits):
                _rename_table(upgrade, dropped, made)
    upgrade.ops[:] = [part for each in upgrade.ops for part in _rename_columns(each, is_rename)]
    if open_answers:
        old, new = next(iter(open_answers.items()))
        raise NoSuchRename(f"--rename {old}:{new}: the models do not drop the one and add the other")


def _shape(table: Table) -> set[tuple[str, str]]:
    return {(column.name, _type(column)) for column in table.columns}


def _type(column: "Column[object]") -> str:
    return column.type.compile(DIALECT)


def _rename_table(upgrade: ops.UpgradeOps, dropped: ops.DropTableOp, made: ops.CreateTableOp) -> None:
    old, new = dropped.table_name, made.table_name
    changes = [operation for operation in upgrade.ops if isinstance(operation, ops.ModifyTableOps)]
    gone = [part for part in _parts(changes, old) if isinstance(part, ops.DropIndexOp)]
    come = [part for part in _parts(changes, new) if isinstance(part, ops.CreateIndexOp)]
    indexes = _pairs({_index_key(part.to_index()): part.index_name for part in gone},
                     {_index_key(part.to_index()): part.index_name for part in come})  # fmt: skip
    constraints = _pairs(
        *({_key(part): part.name for part in table.to_table().constraints} for table in (dropped, made))
    )
    done: list[MigrateOperation] = [part for part in gone if part.index_name in indexes]
    done += [part for part in come if part.index_name in indexes.values()]
    others = [operation for operation in upgrade.ops if operation not in (*changes, dropped, made)]
    kept = [ops.ModifyTableOps(each.table_name, [part for part in each.ops if part not in done]) for each in changes]
    renaming = RenameTable(old, new, constraints, indexes)
    # What leads to the old name goes before, what leads to the new one comes after: also on the way back.
    upgrade.ops[:] = [*_only(kept, going=True), renaming, *others, *_only(kept, going=False)]


def _only(changes: list[ops.ModifyTableOps], *, going: bool) -> Iterator[ops.ModifyTableOps]:
    for change in changes:
        parts = [part for part in change.ops if isinstance(part, GOING) == going]
        if parts:
            yield ops.ModifyTableOps(change.table_name, parts)


def _parts(changes: list[ops.ModifyTableOps], table: str) -> Iterator[MigrateOperation]:
    return (part for change in changes if change.table_name == table for part in change.ops)


def _pairs(old: Mapping[Hashable, object], new: Mapping[Hashable, object]) -> dict[str, str]:
    """Old name -> new name, of those that are the same but for it."""
    names = ((str(name), str(new[key])) for key, name in old.items() if key in new)
    return {before: after for before, after in sorted(names) if before != after}


def _index_key(index: Index) -> Hashable:
    return tuple(str(part) for part in index.expressions), index.unique


def _key(constraint: Constraint) -> Hashable:
    if isinstance(constraint, ColumnCollectionConstraint) and not isinstance(constraint, CheckConstraint):
        return type(constraint).__name__, tuple(column.name for column in constraint.columns)
    return str(constraint.name).replace(constraint.table.name, "", 1)  # a CHECK: by the naming convention


def _rename_columns(
    changes: MigrateOperation, is_rename: Callable[[str, str, bool], bool]
) -> Iterator[MigrateOperation]:
    if not isinstance(changes, ops.ModifyTableOps):
        yield changes
        return
    table, renamed = changes.table_name, []
    for dropped, added in _candidates(changes):
        old, new = dropped.to_column(), added.column
        fits = _type(old).partition("(")[0] == _type(new).partition("(")[0]
        is_open = dropped in changes.ops and added in changes.ops
        if is_open and is_rename(f"{table}.{old.name}", f"{table}.{new.name}", fits):
            renamed.append(_rename_column(table, old, new))
            changes.ops[:] = [part for part in changes.ops if part not in (dropped, added)]
    # Each in its own batch: SQLite cannot tell old from new names within one.
    if renamed:
        yield from (*_only([changes], going=True), ops.ModifyTableOps(table, renamed), *_only([changes], going=False))
    else:
        yield changes


def _candidates(changes: ops.ModifyTableOps) -> list[tuple[ops.DropColumnOp, ops.AddColumnOp]]:
    dropped = [part for part in changes.ops if isinstance(part, ops.DropColumnOp)]
    added = [part for part in changes.ops if isinstance(part, ops.AddColumnOp)]
    pairs = [(old, new) for old in dropped for new in added]
    return sorted(pairs, key=lambda pair: (pair[0].column_name, pair[1].column.name))


def _rename_column(table: str, old: "Column[object]", new: "Column[object]") -> RenameColumn:
    defaults_differ = (old.server_default is None) != (new.server_default is None)
    return RenameColumn(
        table,
        old.name,
        existing_type=old.type,
        existing_nullable=old.nullable,
        existing_server_default=old.server_default,
        modify_name=new.name,
        modify_type=None if _type(old) == _type(new) else new.type,
        modify_nullable=None if old.nullable == new.nullable else new.nullable,
        modify_server_default=new.server_default if defaults_differ else False,
    )
