"""Pages of a list by keyset: a page costs the same however far in it is, and rows that come or go shift nothing."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
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
            moment, _, row_id = urlsafe_b64decode(text).decode().partition(" ")
            created_at = datetime.fromisoformat(moment)
            if created_at.utcoffset() == timedelta(0):
                return cls(created_at, UUID(row_id))
        except ValueError:
            pass
        raise Invalid("cursor is not one of ours: leave it out, and follow next_cursor from there")
