"""Pages of a list by keyset: a page costs the same however far in it is, and rows that come or go shift nothing."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from app.http.problems import Invalid

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=100, description="Items on a page")]


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Cursor:
    """The last row of a page, in lists that are sorted by created_at and id."""

    created_at: datetime
    id: UUID

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.created_at.isoformat()} {self.id.hex}".encode()).decode()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Errors: Invalid."""
        try:
            created_at, _, row_id = urlsafe_b64decode(text).decode().partition(" ")
            cursor = cls(datetime.fromisoformat(created_at), UUID(row_id))
        except ValueError:
            raise Invalid("cursor is not one of ours: leave it out, and follow next_cursor from there") from None
        if cursor.created_at.tzinfo is None:
            raise Invalid("cursor is not one of ours: leave it out, and follow next_cursor from there")
        return cursor
