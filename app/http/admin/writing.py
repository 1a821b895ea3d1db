"""Rows changed by a form: only what was changed in it, and nothing that somebody changed meanwhile."""

import re
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from app.db.base import Base
from app.errors import Conflict, Problem
from app.http.admin.values import filled
from app.http.admin.views import View
from app.http.forms import REQUIRED, Form
from app.http.pages import Visitor

CHANGED = "Somebody has changed this meanwhile: open it again, and look at it first."


async def write(session: AsyncSession, view: View, who: Visitor, form: Form[Any], row: Base | None) -> Base | None:
    """The row, created where there was none; None where the form now says why not."""
    before = filled(view, row)
    if row is not None and form.data is not None and form.value("version_seen") != before.value("version_seen"):
        form.fail("", CHANGED)
    values = _wanted(view, who, form, before, is_new=row is None)
    if form.data is None:
        return None
    row = row or view.model()
    try:
        async with session.begin_nested():
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)
            await session.flush()
            if await session.scalar(view.select(who).where(view.column("id") == row.id)) is None:
                raise Conflict("With these values you could not see it any more: choose others.")
    except (IntegrityError, DataError, StaleDataError, Problem) as error:
        form.fail("", reason(error))
        return None
    return row


def _wanted(view: View, who: Visitor, form: Form[Any], before: Form[Any], *, is_new: bool) -> dict[str, Any]:
    """What the form changes. A field that was left alone is not written: it may show less than is stored."""
    found: dict[str, Any] = {}
    data = form.data  # which the first mistake takes away
    for name in set(before.values) - {"version_seen"} if data is not None else ():
        value = getattr(data, name)
        was_left_alone = _lines(form.value(name)) == _lines(before.value(name))
        if was_left_alone and not is_new:
            continue
        if not was_left_alone and name in view.restricted and not who.may(*view.restricted[name]):
            form.fail(name, "This is not for you to change.")
            continue
        if value is not None or view.model.__table__.columns[view.column(name).property.columns[0].name].nullable:
            found[name] = _lines(value) if isinstance(value, str) else value
        elif not is_new:  # a new row gets its default
            form.fail(name, REQUIRED)
    return found


def _lines(text: str) -> str:
    """Browsers send another end of line than they were given."""
    return text.replace("\r\n", "\n")


async def delete(session: AsyncSession, rows: list[Any]) -> None:
    """Errors: Conflict, and what the model says itself: then all of them stay."""
    try:
        for row in rows:
            await session.delete(row)
        await session.flush()
    except (IntegrityError, StaleDataError) as error:
        raise Conflict(reason(error)) from error


def reason(error: Exception) -> str:
    """Why the database did not take it; nothing of what it says itself."""
    if isinstance(error, Problem):
        return str(error)
    if isinstance(error, StaleDataError):
        return CHANGED
    text = str(getattr(error, "orig", error)).lower().partition("\n")[0]  # behind it PostgreSQL quotes the row
    if "unique" in text:
        return "Another row has the same values already."
    if "foreign key" in text:
        return "Something refers to this, or what this refers to is not there."
    rule = re.search(r"\bck_(\w+)", text)
    return f"The database does not allow these values{f': {_rule(rule[1])}' if rule else ''}."


def _rule(name: str) -> str:
    """What a check constraint is called, without its table: "price is not negative"."""
    tables = [table for table in Base.metadata.tables if name.startswith(f"{table}_")]
    return name.removeprefix(f"{max(tables, key=len, default='')}_").replace("_", " ")
