from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from app.errors import Conflict, NotFound
from app.features.products.models import Product
from app.features.products.schemas import ProductCreate, ProductQuery, ProductUpdate
from app.http.pagination import newest_first


class ProductNotFound(NotFound):
    """There is no product of that id."""


class ProductChanged(Conflict):
    """It is not any more what the writer has seen."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed this product meanwhile: look at it again.")


async def get(session: AsyncSession, product_id: UUID) -> Product:
    """Errors: ProductNotFound."""
    product = await session.get(Product, product_id)
    if product is None:
        raise ProductNotFound("There is no such product.")
    return product


async def create(session: AsyncSession, wanted: ProductCreate) -> Product:
    product = Product(**wanted.model_dump())
    session.add(product)
    await session.flush()
    return product


async def update(session: AsyncSession, product_id: UUID, wanted: ProductUpdate) -> Product:
    """Errors: ProductNotFound; ProductChanged, with nothing changed."""
    product = await _get_version(session, product_id, wanted.version)
    try:
        async with session.begin_nested():
            for name in wanted.model_fields_set - {"version"}:
                setattr(product, name, getattr(wanted, name))
    except StaleDataError as error:  # the other one committed while we waited for the row
        raise ProductChanged from error
    return product


async def delete(session: AsyncSession, product_id: UUID, version: int) -> None:
    """Errors: ProductNotFound, ProductChanged."""
    product = await _get_version(session, product_id, version)
    try:
        async with session.begin_nested():
            await session.delete(product)
    except StaleDataError as error:
        raise ProductChanged from error


async def _get_version(session: AsyncSession, product_id: UUID, version: int) -> Product:
    product = await get(session, product_id)
    if product.version != version:
        raise ProductChanged
    return product


async def list_page(session: AsyncSession, query: ProductQuery) -> tuple[list[Product], str | None]:
    """The newest products first, and the cursor of the next page: None on the last one."""
    statement = select(Product)
    if query.category is not None:
        statement = statement.where(Product.category == query.category)
    if query.in_stock is not None:
        statement = statement.where(Product.in_stock == query.in_stock)
    if query.min_price_cents is not None:
        statement = statement.where(Product.price_cents >= query.min_price_cents)
    if query.max_price_cents is not None:
        statement = statement.where(Product.price_cents <= query.max_price_cents)
    return await newest_first(session, statement, Product.created_at, Product.id, query)


async def categories(session: AsyncSession) -> list[str]:
    statement = select(Product.category).where(Product.category.is_not(None)).distinct().order_by(Product.category)
    return [category for category in await session.scalars(statement.limit(200)) if category]
