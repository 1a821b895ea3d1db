"""Pages of a list by keyset: a page costs the same however far in it is, and rows that come or go shift nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=100, description="Items on a page")]


class PageQuery(BaseModel):
    """What every list takes: ``query: Annotated[PageQuery, Query()]``, or a class on top of it with filters."""

    limit: Limit = 20
    cursor: str | None = Query(None, pattern=r"^[0-9]{1,17}-[0-9a-f]{32}$", description="next_cursor of a page")

    @property
    def after(self) -> "Cursor | None":
        return Cursor.parse(self.cursor) if self.cursor else None


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Cursor:
    """The last row of a page. As text: microseconds since 1970 and the id, so that whatever has that form is one."""

    moment: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.moment - EPOCH) // timedelta(microseconds=1)}-{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        microseconds, _, row_id = text.partition("-")
        return cls(EPOCH + timedelta(microseconds=int(microseconds)), UUID(row_id))


async def newest_first(
    session: AsyncSession,
    statement: Select[Row],
    moment: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[UUID],
    query: PageQuery,
) -> tuple[list[Row], str | None]:
    """A page of the statement's rows, and the cursor of the next one: None on the last."""
    if after := query.after:
        statement = statement.where(tuple_(moment, row_id) < tuple_(after.moment, after.id))
    # One more than asked for tells whether there is a next page, without counting.
    rows = list(await session.scalars(statement.order_by(moment.desc(), row_id.desc()).limit(query.limit + 1)))
    if len(rows) <= query.limit:
        return rows, None
    last = rows[query.limit - 1]
    return rows[: query.limit], str(Cursor(getattr(last, moment.key), getattr(last, row_id.key)))
