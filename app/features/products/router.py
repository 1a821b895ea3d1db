from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.features.products import service
from app.features.products.schemas import ProductFilter, ProductRead
from app.http.dependencies import Session
from app.http.pagination import Cursor, Limit, Page

router = APIRouter(prefix="/api/products", tags=["products"])


class ListQuery(ProductFilter):
    limit: Limit = 20
    cursor: str | None = Query(None, max_length=200)


@router.get("")
async def list_products(session: Session, query: Annotated[ListQuery, Query()]) -> Page[ProductRead]:
    after = Cursor.parse(query.cursor) if query.cursor else None
    products, next_cursor = await service.list_page(session, query, limit=query.limit, after=after)
    return Page(
        items=[ProductRead.model_validate(product) for product in products],
        next_cursor=str(next_cursor) if next_cursor else None,
    )


@router.get("/{product_id}")
async def get_product(session: Session, product_id: UUID) -> ProductRead:
    return ProductRead.model_validate(await service.get(session, product_id))
