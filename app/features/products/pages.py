from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.features.products import service
from app.features.products.schemas import (
    ProductCreate,
    ProductEdit,
    ProductFilter,
    ProductForm,
    ProductQuery,
    ProductUpdate,
    Version,
)
from app.features.users.dependencies import Role, allowed, may
from app.http.dependencies import Session
from app.http.forms import Form
from app.http.pages import Link, page, redirect

LINKS = (Link("Products", "/products"),)

router = APIRouter(prefix="/products")


@router.get("")
async def list_products(request: Request, session: Session) -> HTMLResponse:
    form = Form.read_query(request, ProductFilter)
    context: dict[str, object] = {"form": form, "products": [], "next_cursor": None}
    if form.data:
        query = ProductQuery(**form.data.model_dump(by_alias=True))
        context["products"], context["next_cursor"] = await service.list_page(session, query)
    context["categories"] = [("", "All"), *((name, name) for name in await service.categories(session))]
    return _page(request, "list", context, 200 if form.data else 422)


@router.get("/new", dependencies=[allowed(Role.STAFF)])
async def new_product(request: Request) -> HTMLResponse:
    return _page(request, "new", {"form": Form.of({"in_stock": True})})


@router.post("/new", dependencies=[allowed(Role.STAFF)])
async def create_product(request: Request, session: Session) -> Response:
    form = await Form.read(request, ProductForm)
    if form.data is None:
        return _page(request, "new", {"form": form}, 422)
    product = await service.create(session, ProductCreate(**form.data.model_dump(by_alias=True)))
    return redirect(request, f"/products/{product.id}", f"{product.name} is in the catalogue.")


@router.get("/{product_id}")
async def show_product(request: Request, session: Session, product_id: UUID) -> HTMLResponse:
    return _page(request, "product", {"product": await service.get(session, product_id), "error": None})


@router.get("/{product_id}/edit", dependencies=[allowed(Role.STAFF)])
async def edit_product(request: Request, session: Session, product_id: UUID) -> HTMLResponse:
    product = await service.get(session, product_id)
    form = Form.of({**vars(product), "price": product.price})
    return _page(request, "edit", {"form": form, "product": product, "changed": False})


@router.post("/{product_id}/edit", dependencies=[allowed(Role.STAFF)])
async def update_product(request: Request, session: Session, product_id: UUID) -> Response:
    form = await Form.read(request, ProductEdit)
    try:
        if form.data:
            wanted = ProductUpdate(**form.data.model_dump(by_alias=True))
            product = await service.update(session, product_id, wanted)
            return redirect(request, f"/products/{product.id}", f"{product.name} is saved.")
    except service.ProductChanged as error:
        form.fail("", str(error))
        return await _show_both(request, session, product_id, form)
    product = await service.get(session, product_id)
    return _page(request, "edit", {"form": form, "product": product, "changed": False}, 422)


async def _show_both(request: Request, session: Session, product_id: UUID, form: Form[ProductEdit]) -> HTMLResponse:
    """What was typed, beside what stands there now. Whoever sends it again has seen that."""
    product = await service.get(session, product_id)
    form.values["version"] = str(product.version)
    return _page(request, "edit", {"form": form, "product": product, "changed": True}, 409)


@router.post("/{product_id}/delete", dependencies=[allowed(Role.STAFF)])
async def delete_product(request: Request, session: Session, product_id: UUID, version: Version) -> Response:
    try:
        await service.delete(session, product_id, version)
    except service.ProductChanged as error:
        product = await service.get(session, product_id)
        return _page(request, "product", {"product": product, "error": str(error)}, 409)
    return redirect(request, "/products", "The product is gone.")


def _page(request: Request, name: str, context: dict[str, object], status: int = 200) -> HTMLResponse:
    user = getattr(request.state, "user", None)
    context["may_change"] = may(user, Role.STAFF)
    return page(request, f"products/templates/{name}.html", context, status=status)
