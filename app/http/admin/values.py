"""Columns as forms and texts."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, create_model
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer, Numeric, SmallInteger, String, Text, Uuid

from app.http.admin.views import View, label_of
from app.http.fields import PlainText
from app.http.forms import Form

NOTHING = "–"


def _utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be in the years 1 to 9999") from error


UtcTime = Annotated[datetime, AfterValidator(_utc)]


def type_of(view: View, name: str) -> Any:  # Any: an annotation
    """What a form or a filter takes for the column; None for what only code can make, such as JSON."""
    kind = view.kind(name)
    if name in view.choices:
        return Literal[tuple(str(value) for value in view.choices[name])]
    match kind:
        case Boolean():
            return bool
        case String():
            return Annotated[PlainText, Field(min_length=1, max_length=kind.length or 100_000)]
        case Integer():
            bits = 63 if isinstance(kind, BigInteger) else 15 if isinstance(kind, SmallInteger) else 31
            return Annotated[int, Field(ge=-(2**bits), le=2**bits - 1)]
        case Float():
            return Annotated[float, Field(allow_inf_nan=False)]
        case Numeric():
            digits = Field(max_digits=kind.precision or 30, decimal_places=kind.scale, allow_inf_nan=False)
            return Annotated[Decimal, digits]
        case DateTime():
            return UtcTime
        case Date():
            return date
        case Uuid():
            return UUID
    return None


def form_model(view: View) -> type[BaseModel]:
    """The fields that may be written, and what the row was like when the form was made."""
    fields: dict[str, Any] = {"version_seen": (str, "")}
    for name in view.written:
        wanted = type_of(view, name)
        if wanted is bool:
            fields[name] = (bool, False)
        elif wanted is not None:
            fields[name] = (Optional[wanted], None) if may_be_empty(view, name) else (wanted, ...)  # noqa: UP045
    return create_model(f"{view.model.__name__}Form", **fields)


def may_be_empty(view: View, name: str) -> bool:
    """It may be NULL, or has a default."""
    column = view.model.__table__.columns[view.column(name).property.columns[0].name]
    return bool(column.nullable or column.default is not None or column.server_default is not None)


def inputs(view: View, model: type[BaseModel]) -> list[dict[str, Any]]:  # Any: what the template's field() takes
    """How each field is asked for."""
    return [_input(view, name) for name in model.model_fields if name != "version_seen"]


def _input(view: View, name: str) -> dict[str, Any]:
    kind = view.kind(name)
    found: dict[str, Any] = {"name": name, "label": label_of(name), "required": not may_be_empty(view, name)}
    if name in view.choices:
        found |= {
            "type": "select",
            "options": [("", NOTHING), *((str(value), str(value)) for value in view.choices[name])],
        }
    elif isinstance(kind, Boolean):
        found |= {"type": "checkbox", "required": False}
    elif isinstance(kind, Text):
        found |= {"type": "textarea"}
    elif isinstance(kind, String):
        found |= {"maxlength": kind.length}
    elif isinstance(kind, DateTime):
        found |= {"type": "datetime-local", "hint": "UTC"}
    elif isinstance(kind, Integer):
        found |= {"type": "number"}
    return found


def filled(view: View, row: object | None = None) -> Form[Any]:
    """The form of that row, or of a new one with its defaults."""
    names = [name for name in view.written if type_of(view, name) is not None]
    if row is None:
        return Form.of({name: _default(view, name) for name in names})
    form = Form.of({name: getattr(row, name) for name in names})
    form.values["version_seen"] = sha256(json.dumps(form.values, sort_keys=True).encode()).hexdigest()
    return form


def _default(view: View, name: str) -> object:
    default = view.column(name).property.columns[0].default
    return default.arg if default is not None and default.is_scalar else None


def shown(value: object) -> str:
    """For people."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def for_csv(value: object) -> str:
    """For programs; what a spreadsheet would take for a formula is text to it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
