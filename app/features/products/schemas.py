from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.http.fields import PlainText

Cents = Annotated[int, Field(ge=0, le=2**63 - 1)]
Category = Annotated[PlainText, Field(max_length=100)]


class ProductFilter(BaseModel):
    """What a list of products may be narrowed by. Prices in cents, both ends included."""

    category: Category | None = None
    in_stock: bool | None = None
    min_price_cents: Cents | None = None
    max_price_cents: Cents | None = None


class ProductRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    description: str | None
    price_cents: int
    category: str | None
    in_stock: bool
    created_at: datetime
    updated_at: datetime
