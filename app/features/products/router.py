from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.features.products import service
from app.features.products.schemas import ProductCreate, ProductQuery, ProductRead, ProductUpdate, Version
from app.features.users.dependencies import Role, allowed
from app.http.dependencies import Session
from app.http.pagination import Page

router = APIRouter(prefix="/api/products", tags=["products"])


@router.get("")
async def list_products(session: Session, query: Annotated[ProductQuery, Query()]) -> Page[ProductRead]:
    products, next_cursor = await service.list_page(session, query)
    return Page(items=[ProductRead.model_validate(product) for product in products], next_cursor=next_cursor)


@router.post("", status_code=201, dependencies=[allowed(Role.STAFF)])
async def create_product(session: Session, wanted: ProductCreate) -> ProductRead:
    return ProductRead.model_validate(await service.create(session, wanted))


@router.get("/{product_id}")
async def get_product(session: Session, product_id: UUID) -> ProductRead:
    return ProductRead.model_validate(await service.get(session, product_id))


@router.patch("/{product_id}", dependencies=[allowed(Role.STAFF)])
async def update_product(session: Session, product_id: UUID, wanted: ProductUpdate) -> ProductRead:
    """Of the version that was read: 409 where somebody else changed it since."""
    return ProductRead.model_validate(await service.update(session, product_id, wanted))


@router.delete("/{product_id}", status_code=204, dependencies=[allowed(Role.STAFF)])
async def delete_product(session: Session, product_id: UUID, version: Version) -> None:
    """Of the version that was read: 409 where somebody else changed it since."""
    await service.delete(session, product_id, version)
