"""Rows for tables that nobody has described: what the database itself says of a column is enough."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.exc import DBAPIError

OWN = ("alembic_version", "migration_log", "backfill_progress")
FILL_TO = 4
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
AWKWARD = "O'Brien ☃ 100% "  # quotes, more than ASCII, a percent sign

Key = tuple[str, ...]
Rows = dict[Key, dict[str, str]]  # primary key -> column -> value as text
Contents = dict[str, Rows]  # table -> rows


def read(connection: Connection) -> Contents:
    """All rows of all tables, as text, to compare with later."""
    inspector = sa.inspect(connection)
    return {
        table: _read(connection, table, inspector.get_pk_constraint(table)["constrained_columns"])
        for table in inspector.get_table_names()
        if table not in OWN
    }


def _read(connection: Connection, table: str, keys: list[str]) -> Rows:
    found = {}
    for row in connection.execute(sa.select(sa.literal_column("*")).select_from(sa.table(table))).mappings():
        values = {name: str(value) for name, value in row.items()}
        found[tuple(values[key] for key in keys or values)] = values
    return found


def fill(connection: Connection, metadata: MetaData) -> list[str]:
    """Add rows to each table, parents first. Returns what the database would not take.

    One row leaves out what has a default, one is empty where it may be, the others hold awkward values. Where those
    break a CHECK, which only people understand, the table stays empty, and with it what refers to it.
    """
    complaints = []
    for table in metadata.sorted_tables:
        if table.name in OWN:
            continue
        there = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for number in range(there, FILL_TO):
            try:
                with connection.begin_nested():
                    connection.execute(table.insert().values(dict(_row(connection, table, number))))
            except DBAPIError as error:
                if "check constraint" in str(error.orig).lower() or _lacks_parents(connection, table):
                    break
                complaints.append(f"{table.name} does not take a row: {str(error.orig).splitlines()[0]}")
                break
    return complaints


def _lacks_parents(connection: Connection, table: Table) -> bool:
    parents = {key.column.table for column in table.columns for key in column.foreign_keys} - {table}
    return any(connection.scalar(sa.select(sa.func.count()).select_from(parent)) == 0 for parent in parents)


def _row(connection: Connection, table: Table, number: int) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        if column.computed is not None or column.identity is not None:
            continue
        if number == 0 and column.server_default is not None and not column.primary_key:
            continue
        if number == 1 and column.nullable and not column.primary_key:
            continue
        if column.foreign_keys:
            parent = next(iter(column.foreign_keys)).column
            statement = sa.select(parent).order_by(*parent.table.primary_key).limit(FILL_TO)
            parents = list(connection.scalars(statement))
            # Each row another parent where a key says so; else all the same, for a key that comes may not bear it.
            chosen = number if _is_in_key(column) else 0
            yield column.name, parents[chosen % len(parents)] if parents else None
        else:
            yield column.name, _value(column, number)


def _is_in_key(column: "Column[Any]") -> bool:  # Any: of whatever type
    """Whether its values must be unique, alone or with others."""
    keys = [key for key in column.table.constraints if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    unique = [index for index in column.table.indexes if index.unique]
    return any(column.name in key.columns for key in (*keys, *unique))


def _value(column: "Column[Any]", number: int) -> Any:  # Any: a value of the column's type
    kind = column.type
    if isinstance(kind, sa.Enum):
        return kind.enums[number % len(kind.enums)]
    simple: dict[type[Any], Any] = {
        sa.Uuid: UUID(int=number + 1),
        sa.Boolean: number % 2 == 0,
        sa.Integer: number + 1,
        sa.Float: number + 0.5,
        sa.Numeric: Decimal(number + 1),
        sa.DateTime: _moment(kind, number),
        sa.Date: date(2026, 1, number + 1),
        sa.Time: time(number),
        sa.Interval: timedelta(hours=number),
        INTERVAL: timedelta(hours=number),
        sa.LargeBinary: bytes([number]),
        sa.JSON: {"number": number},
    }
    for base, value in simple.items():
        if isinstance(kind, base):
            return value
    length = getattr(kind, "length", None) or 200
    if length <= 40:
        return f"{number:0{min(length, 32)}x}"  # SQLite keeps a UUID as 32 characters
    return f"{AWKWARD}{column.name} {number}"[:length]


def _moment(kind: Any, number: int) -> datetime:
    moment = START + timedelta(days=number)
    return moment if getattr(kind, "timezone", False) else moment.replace(tzinfo=None)
