"""The deep check sees every change of a model, and none where there is none."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from anyio import to_thread
from databases import Databases, migrate, settings_for
from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import Base
from app.db.engine import create_migration_engine
from app.db.migrations import backfill, environment, snapshot, throwaway
from app.db.migrations.snapshot import drift
from app.db.session import Database
from app.features import modules
from app.settings import Settings


def table(*parts: Any) -> MetaData:
    metadata = MetaData()
    Table("parents", metadata, Column("id", sa.Integer, primary_key=True))
    Table("things", metadata, Column("id", sa.Integer, primary_key=True), Column("other", sa.Integer), *parts)
    return metadata


def of(kind: Any, *arguments: Any, **options: Any) -> Column[Any]:
    return Column("value", kind, *arguments, **options)


# What the models say before and after; the last word names databases that cannot tell the two apart.
def changes() -> dict[str, tuple[Any, Any, str]]:
    """New at each call: a part belongs to one table only."""
    return {
        "type": (of(sa.Integer), of(sa.Text), ""),
        "length": (of(sa.String(10)), of(sa.String(20)), ""),
        "precision": (of(sa.Numeric(10, 2)), of(sa.Numeric(10, 3)), ""),
        "time zone": (of(sa.DateTime(timezone=False)), of(sa.DateTime(timezone=True)), "sqlite"),
        "nullability": (of(sa.Integer, nullable=True), of(sa.Integer, nullable=False), ""),
        "default added": (of(sa.Integer), of(sa.Integer, server_default="1"), ""),
        "default changed": (of(sa.Integer, server_default="1"), of(sa.Integer, server_default="2"), ""),
        "default's case": (of(sa.String(5), server_default="a"), of(sa.String(5), server_default="A"), ""),
        "check's text": (sa.CheckConstraint("other > 0", name="c"), sa.CheckConstraint("other >= 0", name="c"), ""),
        "unique": (of(sa.Integer), of(sa.Integer, unique=True), ""),
        "index": (of(sa.Integer), of(sa.Integer, index=True), ""),
        "index made unique": (sa.Index("i", "other"), sa.Index("i", "other", unique=True), ""),
        "index's columns": (sa.Index("i", "other"), sa.Index("i", "other", "id"), ""),
        "index's condition": (
            sa.Index("i", "other", sqlite_where=sa.text("other > 1"), postgresql_where=sa.text("other > 1")),
            sa.Index("i", "other", sqlite_where=sa.text("other > 2"), postgresql_where=sa.text("other > 2")),
            "",
        ),
        "index's expression": (sa.Index("i", sa.text("abs(other)")), sa.Index("i", sa.text("abs(id)")), ""),
        "enum's values": (
            of(sa.Enum("a", "b", name="kind", create_constraint=True)),
            of(sa.Enum("a", "b", "c", name="kind", create_constraint=True)),
            "",
        ),
        "foreign key": (of(sa.Integer), of(sa.Integer, sa.ForeignKey("parents.id")), ""),
        "foreign key's action": (
            of(sa.Integer, sa.ForeignKey("parents.id", ondelete="CASCADE")),
            of(sa.Integer, sa.ForeignKey("parents.id", ondelete="SET NULL")),
            "",
        ),
        "computed": (
            of(sa.Integer, sa.Computed("other + 1", persisted=True)),
            of(sa.Integer, sa.Computed("other + 2", persisted=True)),
            "",
        ),
        "identity": (of(sa.Integer, nullable=False), of(sa.Integer, sa.Identity(always=True)), "sqlite"),
        "json": (of(sa.JSON), of(sa.JSON().with_variant(JSONB(), "postgresql")), "sqlite"),
    }


def snapshot_of(settings: Settings, metadata: MetaData) -> snapshot.Snapshot:
    throwaway.create_all(settings, metadata)
    return environment.on_connection(settings, snapshot.take)


@pytest.mark.parametrize("name", changes())
def test_a_changed_model_is_seen(databases: Databases, backend: str, name: str) -> None:
    (before, after, blind), (again, _, _) = changes()[name], changes()[name]
    urls = [databases.create() for _ in range(3)]
    first, second, same = (
        snapshot_of(settings_for(url), table(part)) for url, part in zip(urls, (before, after, again), strict=True)
    )
    for url in urls:
        databases.drop(url)
    assert snapshot.differences(first, same) == []
    assert bool(snapshot.differences(first, second)) == (backend not in blind.split())


def test_models_and_revisions_of_this_repository_agree() -> None:
    modules("models")
    assert drift(Base.metadata) == []


BY_HAND = [
    "ALTER TABLE users ADD COLUMN hand_column INTEGER",
    "CREATE INDEX hand_index ON users (email) WHERE is_active",
    "CREATE VIEW hand_view AS SELECT email FROM users",
    "CREATE TABLE hand_table (id INTEGER PRIMARY KEY)",
    "DROP INDEX ix_audit_logs_timestamp",
]
TRIGGER = {
    "sqlite": "CREATE TRIGGER hand_trigger AFTER DELETE ON users BEGIN DELETE FROM audit_logs; END",
    "postgresql": "CREATE TRIGGER hand_trigger BEFORE UPDATE ON users "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
}


def test_what_was_changed_by_hand_is_found(own_settings: Settings, backend: str) -> None:
    execute(own_settings, *BY_HAND, TRIGGER[backend])
    found = snapshot.changed_by_hand(own_settings)
    for name in ("hand_column", "hand_index", "hand_view", "hand_table", "hand_trigger"):
        assert any(line.startswith("too much: ") and name in line for line in found), name
    assert any(line.startswith("missing: index ix_audit_logs_timestamp") for line in found)
    assert all("hand_" in line or "ix_audit_logs_timestamp" in line for line in found)


async def test_what_the_service_and_extensions_make_is_not_by_hand(
    own_database: Database, own_settings: Settings
) -> None:
    async def nothing(_session: AsyncSession, _after: UUID | None, _limit: int) -> UUID | None:
        return None

    await backfill.run(own_database, "nothing", nothing, lambda _: None)
    if not own_settings.database.is_sqlite:
        table = "CREATE TABLE of_an_extension (id INTEGER PRIMARY KEY)"
        await to_thread.run_sync(execute, own_settings, table, "ALTER EXTENSION plpgsql ADD TABLE of_an_extension")
    assert await to_thread.run_sync(snapshot.changed_by_hand, own_settings) == []


@pytest.mark.slow
def test_an_earlier_revision_is_compared_with_itself(empty_url: str) -> None:
    migrate(settings_for(empty_url), "+1")
    assert snapshot.changed_by_hand(settings_for(empty_url)) == []


def execute(settings: Settings, *statements: str) -> None:
    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()

    environment.on_engine(create_migration_engine(settings), work)


def test_the_order_of_columns_is_no_difference() -> None:
    first = snapshot._parts(snapshot._plain("CREATE TABLE \"t\" (a INTEGER NOT NULL, b VARCHAR(5) DEFAULT 'x,(')"))
    second = snapshot._parts(snapshot._plain("CREATE TABLE t (b VARCHAR(5)  default 'x,(', a INTEGER not null)"))
    assert sorted(first) == sorted(second)
