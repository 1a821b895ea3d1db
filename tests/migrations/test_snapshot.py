"""The deep check sees every change of a model, and none where there is none."""

from typing import Any

import pytest
import sqlalchemy as sa
from databases import Databases, settings_for
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB

from app.db.base import Base
from app.db.migrations import environment, snapshot, throwaway
from app.db.migrations.snapshot import drift
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


def test_the_order_of_columns_is_no_difference() -> None:
    first = snapshot._parts(snapshot._plain("CREATE TABLE \"t\" (a INTEGER NOT NULL, b VARCHAR(5) DEFAULT 'x,(')"))
    second = snapshot._parts(snapshot._plain("CREATE TABLE t (b VARCHAR(5)  default 'x,(', a INTEGER not null)"))
    assert sorted(first) == sorted(second)
