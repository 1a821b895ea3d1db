"""What the admin shows of a model, and to whom. A feature's admin.py lists its own as VIEWS."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, DateTime, Select, String, Text, TypeDecorator, inspect, select, true
from sqlalchemy.types import TypeEngine

from app.db.base import Base
from app.db.changes import SECRET
from app.http.pages import Visitor
from app.storage import StoredFile

Action = Literal["read", "create", "edit", "delete"]
NOBODY = None  # not even a superuser


@dataclass(frozen=True)
class View:
    """Each right is for the roles that are named, and for superusers; NOBODY takes it from them too.

    rows: the condition that a row has to meet for that person; what does not is not there.
    fields: what may be written, by default everything but the key, files, and what is set by itself.
    restricted: columns that only those roles may change, of all who may edit.
    columns, filters: of the list. choices: the only values of a text column. note: said on each of its pages.
    A column named like a password, a token or a secret is never shown, searched, sorted by or written.
    """

    model: type[Base]
    readable_by: Collection[str] = ()
    creatable_by: Collection[str] | None = ()
    editable_by: Collection[str] | None = ()
    deletable_by: Collection[str] | None = ()
    rows: Callable[[Any], ColumnElement[bool]] = lambda _: true()  # Any: a Visitor, which is the feature's own user
    fields: Sequence[str] | None = None
    restricted: Mapping[str, Collection[str]] = field(default_factory=dict)
    columns: Sequence[str] | None = None
    filters: Sequence[str] | None = None
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        return str(self.model.__tablename__).replace("_", "-")

    @property
    def path(self) -> str:
        return f"/admin/{self.name}"

    @property
    def label(self) -> str:
        return label_of(self.model.__tablename__)

    def allows(self, who: Visitor, action: Action) -> bool:
        rights = {
            "read": self.readable_by,
            "create": self.creatable_by,
            "edit": self.editable_by,
            "delete": self.deletable_by,
        }
        wanted = rights[action]
        return wanted is not None and who.may(*wanted)

    def select(self, who: Visitor) -> Select[Any]:  # Any: the model's rows
        """The rows that are there for that person."""
        return select(self.model).where(self.rows(who))

    def column(self, name: str) -> Any:  # Any: of the column's own type
        return getattr(self.model, name)

    def kind(self, name: str) -> TypeEngine[Any]:
        """The column's type, without what our own types wrap around it."""
        kind: TypeEngine[Any] = self.column(name).type
        return kind.impl_instance if isinstance(kind, TypeDecorator) else kind

    @cached_property
    def visible(self) -> tuple[str, ...]:
        mapper = inspect(self.model)
        names = (mapper.get_property_by_column(column).key for column in self.model.__table__.columns)
        return tuple(name for name in names if not SECRET.search(name))

    @cached_property
    def listed(self) -> tuple[str, ...]:
        short = [name for name in self.visible if name != "id" and not isinstance(self.kind(name), Text | JSON)]
        return self._only_visible(self.columns or short[:6]) or ("id",)

    @cached_property
    def searched(self) -> tuple[str, ...]:
        return tuple(name for name in self.visible if isinstance(self.kind(name), String))

    @cached_property
    def written(self) -> tuple[str, ...]:
        version = inspect(self.model).version_id_col
        own = {"id", "created_at", "updated_at", version.key if version is not None else None}
        if self.fields is None:
            # A file's name is no text to be typed: it could be that of another row's file.
            files = {column.name for column in self.model.__table__.columns if isinstance(column.type, StoredFile)}
            return tuple(name for name in self.visible if name not in own | files)
        return self._only_visible(self.fields)

    @cached_property
    def filtered(self) -> tuple[str, ...]:
        """By default the columns of the list that have few values, or an order."""
        if self.filters is not None:
            return self._only_visible(self.filters)
        return tuple(n for n in self.listed if n in self.choices or not isinstance(self.kind(n), String | JSON))

    def _only_visible(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.visible)

    @cached_property
    def order(self) -> str:
        """The newest first, where the model knows when that was."""
        times = [name for name in self.visible if isinstance(self.kind(name), DateTime)]
        return f"-{'created_at' if 'created_at' in times else times[0]}" if times else "id"


def all_views(given: Iterable[View]) -> list[View]:
    """Those, and one for superusers alone of each model that has none, so that nothing is forgotten."""
    views = list(given)
    known = {view.model for view in views}
    models = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: str(model.__tablename__))
    return views + [View(model) for model in models if model not in known]


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()
