import pytest
from admins import enter, form_of
from httpx import AsyncClient
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.audit_logs.models import AuditLog
from app.features.products.models import Product

NEW = {"name": "Lamp", "price_cents": "1200", "in_stock": "true", "description": "Warm.\r\nDim."}


async def product(session: AsyncSession) -> Product:
    made = Product(name="Pen", price_cents=100, description="Blue.\nFine.")
    session.add(made)
    await session.flush()
    return made


async def test_a_product_is_created_shown_and_deleted(browser: AsyncClient, session: AsyncSession) -> None:
    actor = await enter(browser, session, "staff")
    created = await browser.post("/admin/products/new", data=NEW)
    assert created.status_code == 303
    page = (await browser.get(created.headers["location"])).text
    assert "<h1>Lamp</h1>" in page
    [made] = (await session.scalars(select(Product))).all()
    assert (made.price_cents, made.in_stock, made.category, made.description) == (1200, True, None, "Warm.\nDim.")
    deleted = await browser.post("/admin/products/delete", data={"id": str(made.id), "sure": "yes"})
    assert deleted.status_code == 303
    assert await session.scalar(select(func.count()).select_from(Product)) == 0
    logged = select(AuditLog.action, AuditLog.user_id).where(AuditLog.model_name == "Product")
    rows = (await session.execute(logged.order_by(AuditLog.timestamp))).all()
    assert [tuple(row) for row in rows] == [("create", actor.id), ("delete", actor.id)]


async def test_a_field_that_is_left_alone_is_not_written(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session, "marketing")
    made = await product(session)
    path = f"/admin/products/{made.id}"
    sent = await form_of(browser, path, name="Pencil")
    sent["description"] = sent["description"].replace("\n", "\r\n")  # as browsers do
    assert (await browser.post(path, data=sent)).status_code == 303
    logged = await session.scalar(select(AuditLog).where(AuditLog.model_name == "Product", AuditLog.action == "update"))
    assert logged is not None
    assert set(logged.changes or {}) == {"name"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("price_cents", "9" * 30, "less than or equal"),
        ("price_cents", "9" * 5000, "integer"),
        ("price_cents", "x", "valid integer"),
        ("price_cents", "", "This is required."),
        ("price_cents", "-1", "does not allow these values: price is not negative."),
        ("name", "x" * 201, "at most 200"),
        ("name", "", "This is required."),
        ("name", "a\0b", "cannot be stored"),
        ("description", "a\0b", "cannot be stored"),
    ],
)
async def test_what_cannot_be_kept_is_said_and_shown_again(
    browser: AsyncClient, session: AsyncSession, name: str, text: str, says: str
) -> None:
    await enter(browser, session, "staff")
    made = await product(session)
    for path in ("/admin/products/new", f"/admin/products/{made.id}"):
        sent = NEW | await form_of(browser, path) | {"name": "Other", "price_cents": "7", name: text}
        answer = await browser.post(path, data=sent)
        assert answer.status_code == 422
        assert says in answer.text
    await session.refresh(made)
    assert (made.name, made.price_cents) == ("Pen", 100)
    assert await session.scalar(select(func.count()).select_from(Product)) == 1
