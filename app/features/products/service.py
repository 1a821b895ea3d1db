from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.products.models import Product
from app.features.products.schemas import ProductFilter
from app.http.pagination import Cursor
from app.http.problems import NotFound


class ProductNotFound(NotFound):
    """There is no product of that id."""


async def get(session: AsyncSession, product_id: UUID) -> Product:
    """Errors: ProductNotFound."""
    product = await session.get(Product, product_id)
    if product is None:
        raise ProductNotFound("There is no such product.")
    return product


async def list_page(
    session: AsyncSession, wanted: ProductFilter, *, limit: int, after: Cursor | None
) -> tuple[list[Product], Cursor | None]:
    """The newest products first, and where the next page begins: None on the last one."""
    statement = select(Product).order_by(Product.created_at.desc(), Product.id.desc())
    if wanted.category is not None:
        statement = statement.where(Product.category == wanted.category)
    if wanted.in_stock is not None:
        statement = statement.where(Product.in_stock == wanted.in_stock)
    if wanted.min_price_cents is not None:
        statement = statement.where(Product.price_cents >= wanted.min_price_cents)
    if wanted.max_price_cents is not None:
        statement = statement.where(Product.price_cents <= wanted.max_price_cents)
    if after is not None:
        statement = statement.where(tuple_(Product.created_at, Product.id) < tuple_(after.created_at, after.id))

    # One more than asked for tells whether there is a next page, without counting.
    products = list(await session.scalars(statement.limit(limit + 1)))
    if len(products) <= limit:
        return products, None
    last = products[limit - 1]
    return products[:limit], Cursor(last.created_at, last.id)
