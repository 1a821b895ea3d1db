"""A list: searched, narrowed, sorted, in pages, or as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal, Optional

from pydantic import BaseModel, Field, ValidationError, create_model
from sqlalchemy import Boolean, DateTime, Select, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid
from app.http.admin.values import for_csv, type_of
from app.http.admin.views import View, label_of
from app.http.fields import PlainText
from app.http.pages import Visitor

PAGE_SIZE = 50
EXPORT_LIMIT = 10_000  # rows; they are in memory while they are written


class ListQuery(BaseModel):
    """On top of it come each view's own sort keys and filters."""

    q: Annotated[PlainText, Field(max_length=200)] = ""
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    sort: str


def query_model(view: View) -> type[ListQuery]:
    keys = dict.fromkeys((*view.listed, view.order.removeprefix("-")))
    fields: dict[str, Any] = {"sort": (Literal[(*keys, *(f"-{key}" for key in keys))], view.order)}
    for name in view.filtered:
        if isinstance(view.kind(name), DateTime):
            fields |= {f"{name}_from": (date | None, None), f"{name}_to": (date | None, None)}
        elif name not in ListQuery.model_fields and (wanted := type_of(view, name)) is not None:
            fields[name] = (Optional[wanted], None)  # noqa: UP045
    return create_model(f"{view.model.__name__}Query", __base__=ListQuery, **fields)


def filters(view: View, query: ListQuery) -> list[dict[str, Any]]:  # Any: name, label, type, value and options of each
    """How the list is narrowed."""
    return [_filter(view, name, value) for name, value in query if name not in ListQuery.model_fields]


def _filter(view: View, name: str, value: object) -> dict[str, Any]:
    found = {"name": name, "label": label_of(name), "value": "" if value is None else str(value), "type": "text"}
    if name in view.choices:
        return found | {"options": [(str(option), str(option)) for option in view.choices[name]]}
    if name not in view.visible:
        return found | {"type": "date"}
    if isinstance(view.kind(name), Boolean):
        return found | {"options": [("True", "yes"), ("False", "no")]}
    return found


def parse(model: type[ListQuery], given: Mapping[str, str]) -> ListQuery:
    """Errors: Invalid."""
    try:
        return model.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        names = ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))
        raise Invalid(f"This list cannot be narrowed or sorted like that: {names}.") from error


def selected(view: View, who: Visitor, query: ListQuery) -> Select[Any]:  # Any: the model's rows
    statement = view.select(who)
    if query.q:
        found = [view.column(name).icontains(query.q, autoescape=True) for name in view.searched]
        statement = statement.where(or_(false(), *found))
    for name, value in query:
        if name not in ListQuery.model_fields and value is not None:
            statement = statement.where(_condition(view, name, value))
    key = view.column(query.sort.removeprefix("-"))
    order = key.desc() if query.sort.startswith("-") else key.asc()
    if key.property.columns[0].nullable:  # the two databases disagree on where NULL goes
        order = order.nulls_last()
    return statement.order_by(order, view.column("id"))  # without the key, pages would overlap


def _condition(view: View, name: str, value: Any) -> Any:
    if name in view.visible:
        return view.column(name) == value
    name, _, side = name.rpartition("_")
    if side == "from":
        return view.column(name) >= datetime.combine(value, time.min, UTC)
    return view.column(name) <= datetime.combine(value, time.max, UTC)


async def page_of(session: AsyncSession, statement: Select[Any], page: int) -> tuple[Sequence[Any], int]:
    """The page's rows, and how many there are in all."""
    total = await session.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    rows = await session.scalars(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE))
    return rows.all(), total or 0


async def export(session: AsyncSession, view: View, statement: Select[Any]) -> str:
    """All of it as CSV.

    Errors: Invalid, where that is too much: half of it would look like all of it.
    """
    rows = (await session.scalars(statement.limit(EXPORT_LIMIT + 1))).all()
    if len(rows) > EXPORT_LIMIT:
        raise Invalid(f"These are more than {EXPORT_LIMIT:,} rows: narrow the list first.")
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(view.visible)
    writer.writerows([for_csv(getattr(row, name)) for name in view.visible] for row in rows)
    return target.getvalue()
