import asyncio
from uuid import uuid4

import pytest
from conftest import client_of
from httpx import AsyncClient, Response
from people import headers_of
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database
from app.features.audit_logs.models import AuditLog
from app.features.products.models import Product
from app.main import create_app
from app.settings import Settings

LAMP = {"name": "Lamp", "description": "Warm", "price_cents": 1290, "category": "light", "in_stock": False}


@pytest.fixture
async def staff(client: AsyncClient, session: AsyncSession) -> AsyncClient:
    client.headers.update(await headers_of(session, "staff"))
    return client


@pytest.fixture
async def lamp(session: AsyncSession) -> Product:
    lamp = Product(**LAMP)
    session.add(lamp)
    await session.flush()
    return lamp


async def test_what_is_created_can_be_read(staff: AsyncClient) -> None:
    created = await staff.post("/api/products", json={**LAMP, "name": "  Lamp\n"})
    assert created.status_code == 201
    assert created.json().items() >= {**LAMP, "version": 1}.items()
    assert (await staff.get(f"/api/products/{created.json()['id']}")).json() == created.json()


async def test_only_name_and_price_are_wanted(staff: AsyncClient) -> None:
    created = await staff.post("/api/products", json={"name": "Ω" * 200, "price_cents": 2**53 - 1})
    assert created.status_code == 201
    assert created.json().items() >= {"description": None, "category": None, "in_stock": True}.items()
    assert (await staff.get(f"/api/products/{created.json()['id']}")).json()["price_cents"] == 2**53 - 1


INVALID: list[tuple[str, list[object]]] = [
    ("name", [None, "", " \t\u3000", "x" * 201, "a\0b", 5, ["Lamp"]]),
    ("description", ["x" * 10_001, "\0", 5]),
    ("price_cents", [True, None, -1, 2**53, 10**400, 1.5, "12", "12.90", {}]),
    ("category", ["", "  ", "x" * 101, "\0"]),
    ("in_stock", ["true", 1, None]),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in INVALID for value in values])
async def test_what_is_not_valid_is_refused_and_changes_nothing(
    staff: AsyncClient, session: AsyncSession, lamp: Product, field: str, value: object
) -> None:
    created = await staff.post("/api/products", json={**LAMP, field: value})
    updated = await staff.patch(f"/api/products/{lamp.id}", json={"version": 1, field: value})
    for response in (created, updated):
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["location"] == f"body.{field}"
    assert await session.scalar(select(func.count()).select_from(Product)) == 1


async def test_half_a_character_is_refused(staff: AsyncClient) -> None:
    body = rb'{"name": "\ud800", "price_cents": 1}'
    response = await staff.post("/api/products", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422


async def test_only_what_is_named_is_changed(staff: AsyncClient, lamp: Product) -> None:
    response = await staff.patch(f"/api/products/{lamp.id}", json={"version": 1, "price_cents": 5, "category": None})
    assert response.status_code == 200
    assert response.json().items() >= {**LAMP, "price_cents": 5, "category": None, "version": 2}.items()


@pytest.mark.parametrize("version", [None, 0, -1, "1", True, 2**31, 10**30])
async def test_a_version_that_is_none_is_refused(staff: AsyncClient, lamp: Product, version: object) -> None:
    response = await staff.patch(f"/api/products/{lamp.id}", json={"version": version, "name": "x"})
    assert response.status_code == 422


async def test_a_write_without_a_version_is_refused(staff: AsyncClient, lamp: Product) -> None:
    assert (await staff.patch(f"/api/products/{lamp.id}", json={"name": "x"})).status_code == 422
    for query in ("", "?version=x", f"?version={2**31}", f"?version={'9' * 5000}"):
        assert (await staff.delete(f"/api/products/{lamp.id}{query}")).status_code == 422


async def test_a_write_upon_an_older_version_is_refused_and_loses_nothing(staff: AsyncClient, lamp: Product) -> None:
    path = f"/api/products/{lamp.id}"
    first = await staff.patch(path, json={"version": 1, "name": "First"})
    second = await staff.patch(path, json={"version": 1, "name": "Second", "in_stock": True})
    third = await staff.delete(path, params={"version": 1})
    for response in (second, third):
        assert response.status_code == 409
        assert "Somebody else changed this product" in response.json()["detail"]
    assert (await staff.get(path)).json() == first.json()


async def test_a_deleted_product_is_gone(staff: AsyncClient, lamp: Product) -> None:
    path = f"/api/products/{lamp.id}"
    assert (await staff.delete(path, params={"version": 1})).status_code == 204
    assert (await staff.get(path)).status_code == 404
    assert (await staff.patch(path, json={"version": 1, "name": "x"})).status_code == 404
    assert (await staff.delete(path, params={"version": 1})).status_code == 404


@pytest.mark.parametrize(("kind", "status"), [("anonymous", 401), ("user", 403), ("sales", 403)])
async def test_who_may_not_write_changes_nothing(
    client: AsyncClient, session: AsyncSession, lamp: Product, kind: str, status: int
) -> None:
    headers = await headers_of(session, kind)
    path = f"/api/products/{lamp.id}"
    for response in (
        await client.post("/api/products", json=LAMP, headers=headers),
        await client.patch(path, json={"version": 1, "name": "x"}, headers=headers),
        await client.delete(path, params={"version": 1}, headers=headers),
    ):
        assert response.status_code == status
    assert (await client.get("/api/products")).json()["items"] == [(await client.get(path)).json()]


async def test_a_change_is_recorded_with_its_version(staff: AsyncClient, session: AsyncSession, lamp: Product) -> None:
    await staff.patch(f"/api/products/{lamp.id}", json={"version": 1, "name": "Bright lamp"})
    row = await session.scalar(select(AuditLog).where(AuditLog.action == "update", AuditLog.model_name == "Product"))
    assert row is not None
    assert row.changes is not None
    assert row.changes["name"] == ["Lamp", "Bright lamp"]
    assert row.actor is not None
    assert row.actor.startswith("staff-")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_of_writers_at_the_same_time_one_wins(
    own_settings: Settings, own_database: Database, method: str
) -> None:
    """Each has read version 1; who comes second hears so, and nothing of the first is lost."""
    async with own_database.transaction() as session:
        headers = await headers_of(session, "staff")
        lamp = Product(**LAMP, id=uuid4())
        session.add(lamp)
    app = create_app(own_settings)
    app.state.database = own_database

    async with client_of(app) as client:
        client.headers.update(headers)
        path = f"/api/products/{lamp.id}"

        async def write(number: int) -> Response:
            if method == "DELETE" and number % 2:
                return await client.delete(path, params={"version": 1})
            return await client.patch(path, json={"version": 1, "name": f"Writer {number}"})

        answers = await asyncio.gather(*(write(number) for number in range(8)))
        after = await client.get(path)

    won = [answer for answer in answers if answer.is_success]
    assert len(won) == 1
    if won[0].status_code == 204:
        assert after.status_code == 404
        assert {answer.status_code for answer in answers} <= {204, 404, 409}
    else:
        assert after.json() == won[0].json()
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
