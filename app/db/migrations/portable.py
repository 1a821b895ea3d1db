"""What a new revision says must be right on both databases, whichever it was read from."""

import re
from collections.abc import Iterator
from typing import Literal

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations import ops
from alembic.operations.batch import BatchOperationsImpl
from sqlalchemy import Column
from sqlalchemy.schema import DefaultClause
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.errors import UserError

CAST = re.compile(r"::[\w ]+(\(\d+(,\d+)?\))?")
LITERAL = re.compile(rf"('(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false|null)({CAST.pattern})?", re.IGNORECASE)
BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up in an INTEGER alone


class NotPortable(UserError):
    """A model asks for what only one of the databases can do."""


class SqliteImpl(SQLiteImpl):
    """Alembic's, which takes the place of its own by being defined."""

    __dialect__ = "sqlite"

    def _compare_identity_default(self, *_identities: object) -> tuple[set[str], list[str], bool]:
        return set(), [], False  # SQLite has none, and counts up without

    def requires_recreate_in_batch(self, batch_op: BatchOperationsImpl) -> bool:
        """Not for a rename: a table made anew would keep the old name in the text of its CHECKs."""
        return super().requires_recreate_in_batch(batch_op) and not all(map(_only_renames, batch_op.batch))


def _only_renames(operation: tuple[str, tuple[object, ...], dict[str, object]]) -> bool:
    name, _, changes = operation
    changed = {what for what in ("nullable", "type_") if changes.get(what) is not None}
    return name == "alter_column" and not changed and changes.get("server_default", False) is False


def render_item(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    """A migration names plain types: it must mean the same when the application's types have changed."""
    if kind == "type" and isinstance(item, TypeEngine):
        return _type(item, autogenerate)
    if kind == "server_default" and isinstance(item, DefaultClause):
        return _default(item)
    return False


def _type(item: "TypeEngine[object]", autogenerate: AutogenContext) -> str | Literal[False]:
    if isinstance(item, sa.JSON):  # Alembic renders the variant with a name it does not import
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if isinstance(item, TypeDecorator) and not isinstance(item, sa.Interval):
        return f"sa.{item.impl_instance!r}"
    if not type(item).__name__.isupper():
        return False
    try:  # what PostgreSQL said: TIMESTAMP, BYTEA, UUID
        return f"sa.{item.as_generic()!r}"
    except NotImplementedError:
        return False


def _default(item: DefaultClause) -> str | Literal[False]:
    found = LITERAL.fullmatch(_text(item))
    if not found or not isinstance(item.arg, TextClause | sa.True_ | sa.False_):
        return False
    literal = found[1]
    if literal.lower() in ("true", "false"):
        return f"sa.{literal.lower()}()"
    return repr(literal[1:-1].replace("''", "'")) if literal.startswith("'") else f'sa.text("{literal}")'


def _text(item: DefaultClause) -> str:
    return item.arg if isinstance(item.arg, str) else str(item.arg)


def refuse(table: str, column: "Column[object]") -> None:
    """Errors: NotPortable."""
    name, kind = f"{table}.{column.name}", column.type
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(plain, sa.Enum) and plain.native_enum:
        raise NotPortable(
            f"{name}: the type that PostgreSQL makes for an Enum stays behind when the column goes: "
            "write Enum(…, native_enum=False)"
        )
    if column.primary_key and isinstance(plain, sa.BigInteger) and not plain._variant_mapping:
        raise NotPortable(f'{name} does not count up on SQLite: write BigInteger().with_variant(Integer, "sqlite")')
    default = column.server_default
    if isinstance(default, DefaultClause) and not _is_portable(default, plain):
        raise NotPortable(
            f"{name}: the server_default {_text(default)} is not the same on both databases: write default=… "
            "(app/db/base.py has utc_now), or a literal"
        )


def _is_portable(default: DefaultClause, kind: "TypeEngine[object]") -> bool:
    text = _text(default)
    if isinstance(kind, sa.DateTime | sa.Date | sa.Time):  # PostgreSQL reads 'now' as the time of the migration
        return text.lstrip("'")[:1].isdigit()
    return isinstance(default.arg, str) or LITERAL.fullmatch(text) is not None


def refuse_all(operations: ops.OpContainer) -> None:
    """Errors: NotPortable."""
    for table, column in _columns(operations):
        refuse(table, column)


def _columns(operations: ops.OpContainer) -> "Iterator[tuple[str, Column[object]]]":
    for operation in operations.ops:
        if isinstance(operation, ops.CreateTableOp):
            yield from ((operation.table_name, part) for part in operation.columns if isinstance(part, Column))
        elif isinstance(operation, ops.AddColumnOp):
            yield operation.table_name, operation.column
        elif isinstance(operation, ops.AlterColumnOp):
            default = operation.modify_server_default or None
            kind = operation.modify_type or operation.existing_type
            yield operation.table_name, Column(operation.column_name, kind, server_default=default)
        elif isinstance(operation, ops.OpContainer):
            yield from _columns(operation)


def tidy(operations: ops.OpContainer) -> None:
    """Make what PostgreSQL said of tables that are dropped, and made again on the way back, plain SQL."""
    for operation in operations.ops:
        if not isinstance(operation, ops.CreateTableOp):
            continue
        for part in operation.columns:
            if isinstance(part, sa.CheckConstraint):
                part.sqltext = sa.text(CAST.sub("", str(part.sqltext)))
            elif isinstance(part, Column) and part.primary_key and isinstance(part.type, sa.BigInteger):
                part.type = BIG_KEY
