from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.http.fields import Storable

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), Storable]


class PostCreate(BaseModel):
    title: Title
    body: Body


class PostUpdate(BaseModel):
    """What is left out stays as it is: the defaults are never used."""

    title: Title = ""
    body: Body = ""


class PostRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    body: str
    author: str
    author_id: UUID | None  # None where the account is gone
    likes: int
    created_at: datetime


class LikeRead(BaseModel):
    """What the post has now, and whether the one who asks is among them."""

    likes: int
    liked: bool
