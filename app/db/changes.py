"""What a session changes, told to a recorder in the same transaction: nothing is written unrecorded.

The recorder is a feature's, and registers itself; a session refuses to write while there is none. Rows that the
database deletes by itself (ON DELETE CASCADE) are told too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, Literal, NoReturn

from sqlalchemy import Executable, UpdateBase, event, inspect, select
from sqlalchemy.engine import Result
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, UOWTransaction

from app.db.base import Base

SECRET = re.compile("password|token|secret", re.IGNORECASE)
MASK = "••••••••"


@dataclass(frozen=True)
class Change:
    """One row's, or one bulk statement's.

    Shapes: fields is {name: [old, new]} in JSON's types, None where there is none; secrets are masked.
    """

    action: Literal["create", "update", "delete", "bulk"]
    model_name: str
    record_id: str | None
    fields: dict[str, list[Any]]  # Any: each field's own type, as JSON


Recorder = Callable[[Session, list[Change]], None]
_recorders: list[Recorder] = []


def recorder(function: Recorder) -> Recorder:
    """Registers: it is called after each flush, within its transaction. What it writes goes by the connection."""
    _recorders.append(function)
    return function


class Unrecorded(TypeError):
    """A statement that changes rows which no recorder would see."""


class RecordingSession(Session):
    """The session of the service."""

    def _refuse(self, *_arguments: object, **_options: object) -> NoReturn:
        raise Unrecorded("nobody would record these rows: use add_all(), or insert() with execution_options(audit=…)")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse


@event.listens_for(RecordingSession, "before_flush")
def _record_children(session: Session, _context: UOWTransaction, _objects: object) -> None:
    """Rows that the database will delete with their parent: told while they are there."""
    seen: dict[object, None] = dict.fromkeys(session.deleted)
    for parent in (waiting := list(seen)):
        children = [child for child in _cascaded(session, parent) if child not in seen]
        seen.update(dict.fromkeys(children))
        waiting += children
    changes = [_change("delete", child) for child in seen if child not in session.deleted]
    if changes:
        _tell(session, changes)


def _cascaded(session: Session, parent: object) -> Iterator[object]:
    parent_mapper: Mapper[object] = inspect(parent).mapper
    for mapper in Base.registry.mappers:
        for key in mapper.local_table.foreign_keys:
            if key.ondelete == "CASCADE" and key.column.table is parent_mapper.local_table:
                value = getattr(parent, parent_mapper.get_property_by_column(key.column).key)
                yield from session.scalars(select(mapper.class_).where(key.parent == value))


@event.listens_for(RecordingSession, "after_flush")
def _record(session: Session, _context: UOWTransaction) -> None:
    changes = [_change("create", row) for row in session.new]
    changes += [_change("update", row) for row in session.dirty]
    changes += [_change("delete", row) for row in session.deleted]
    changes = [change for change in changes if change.fields]
    if changes:
        _tell(session, changes)


def _change(action: Literal["create", "update", "delete"], row: object) -> Change:
    state = inspect(row)
    fields = {}
    for attribute in state.mapper.column_attrs:
        history = state.attrs[attribute.key].history
        if action == "update" and not history.has_changes():
            continue
        old = history.deleted or (() if action == "create" else history.unchanged)
        new = () if action == "delete" else history.added or history.unchanged
        mask = SECRET.search(attribute.key)
        fields[attribute.key] = [MASK if mask and values else _as_json(values) for values in (old, new)]
    record_id = "/".join(str(part) for part in state.mapper.primary_key_from_instance(row))
    return Change(action, state.mapper.class_.__name__, record_id, fields)


def _as_json(values: tuple[Any, ...] | list[Any]) -> Any:  # Any: a column's value
    value = values[0] if values else None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


@event.listens_for(RecordingSession, "do_orm_execute")
def _bulk(state: ORMExecuteState) -> Result[Any] | None:  # Any: SQLAlchemy's own type for a result of any shape
    """Rows that no flush sees: allowed with a reason, which is recorded with their number."""
    model_name = _changed_model(state.statement)
    if model_name is None:
        return None
    reason = state.execution_options.get("audit")
    if not reason:
        raise Unrecorded("a bulk statement needs execution_options(audit='why'): its rows are not recorded one by one")
    result = state.invoke_statement()
    rows = len(state.parameters) if isinstance(state.parameters, list) else result.rowcount  # type: ignore[attr-defined]
    _tell(state.session, [Change("bulk", model_name, None, {"why": [None, reason], "rows": [None, rows]})])
    return result


def _changed_model(statement: Executable) -> str | None:
    if not isinstance(statement, UpdateBase):
        return None
    table = getattr(statement.table, "name", None)
    names = (mapper.class_.__name__ for mapper in Base.registry.mappers if str(mapper.local_table) == table)
    return next(names, None)


def _tell(session: Session, changes: list[Change]) -> None:
    if not _recorders:
        raise Unrecorded("nothing records changes: import app.features.audit_logs.models first")
    for record in _recorders:
        record(session, changes)
