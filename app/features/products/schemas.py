import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.http.fields import PlainText, Storable, Whole
from app.http.pagination import PageQuery


def cents(typed: str) -> int:
    """What a person means by "12.90", "12,9" or "12"."""
    found = re.fullmatch(r"\s*([0-9]{1,17})(?:[.,]([0-9]{1,2}))?\s*", typed)
    if not found:
        raise ValueError("Write a price like 12.90.")
    return int(found[1] + (found[2] or "").ljust(2, "0"))


Cents = Annotated[int, Field(ge=0, le=2**53 - 1), Whole]  # what JavaScript can count
Price = Annotated[Cents, BeforeValidator(cents)]  # in cents, from what somebody typed
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable]
Description = Annotated[PlainText, Field(max_length=10_000)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), Storable]
Version = Annotated[int, Field(ge=1, le=2**31 - 1), Whole]


class ProductQuery(PageQuery):
    """What a list of products may be narrowed by. Prices in cents, both ends included."""

    category: Category | None = None
    in_stock: bool | None = None
    min_price_cents: Cents | None = None
    max_price_cents: Cents | None = None


class ProductFilter(PageQuery):
    """The same, as a person types it; by alias it is a ProductQuery."""

    category: Category | None = None
    in_stock: bool | None = None
    min_price: Price | None = Field(None, serialization_alias="min_price_cents")
    max_price: Price | None = Field(None, serialization_alias="max_price_cents")


class ProductCreate(BaseModel):
    model_config = ConfigDict(strict=True)  # true is no price

    name: Name
    description: Description | None = None
    price_cents: Cents
    category: Category | None = None
    in_stock: bool = True


class ProductUpdate(BaseModel):
    """What is left out stays as it is: the defaults are never used. version is the one that was read."""

    model_config = ConfigDict(strict=True)

    version: Version
    name: Name = ""
    description: Description | None = None
    price_cents: Cents = 0
    category: Category | None = None
    in_stock: bool = True


class ProductForm(BaseModel):
    """What a person types; by alias it is a ProductCreate."""

    name: Name
    description: Description | None = None
    price: Price = Field(serialization_alias="price_cents")
    category: Category | None = None
    in_stock: bool


class ProductEdit(ProductForm):
    """By alias it is a ProductUpdate."""

    version: Version


class ProductRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    name: str
    description: str | None
    price_cents: int
    category: str | None
    in_stock: bool
    created_at: datetime
    updated_at: datetime
