from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.products.models import Product

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def product(name: str = "Lamp", **values: object) -> Product:
    return Product(**{"name": name, "price_cents": 1000, "created_at": NOON, **values})


def crafted(moment: str) -> str:
    return urlsafe_b64encode(f"{moment} {UUID(int=0).hex}".encode()).decode()


async def names(client: AsyncClient, **query: object) -> list[str]:
    response = await client.get("/api/products", params={key: str(value) for key, value in query.items()})
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["items"]]


async def test_a_product_is_shown_with_all_its_fields(client: AsyncClient, session: AsyncSession) -> None:
    lamp = product(description="Warm", price_cents=2**40, category="light")
    session.add(lamp)
    await session.flush()

    response = await client.get(f"/api/products/{lamp.id}")

    assert response.status_code == 200
    shown = response.json()
    assert UUID(shown.pop("id")) == lamp.id
    assert datetime.fromisoformat(shown.pop("created_at")) == NOON
    assert datetime.fromisoformat(shown.pop("updated_at")).tzinfo is not None
    expected = {"name": "Lamp", "description": "Warm", "price_cents": 2**40, "category": "light", "in_stock": True}
    assert shown == expected


async def test_a_missing_product_is_a_problem(client: AsyncClient) -> None:
    response = await client.get(f"/api/products/{uuid4()}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "There is no such product."


async def test_the_newest_product_comes_first(client: AsyncClient, session: AsyncSession) -> None:
    session.add_all([product("old"), product("new", created_at=NOON + timedelta(microseconds=1))])
    await session.flush()
    assert await names(client) == ["new", "old"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"category": "light"}, ["lamp"]),
        ({"category": "nothing"}, []),
        ({"in_stock": "false"}, ["desk"]),
        ({"min_price_cents": 500}, ["desk", "lamp"]),
        ({"max_price_cents": 499}, ["cup"]),
        ({"min_price_cents": 500, "max_price_cents": 500}, ["lamp"]),
        ({"min_price_cents": 2**63 - 1}, []),
    ],
)
async def test_a_list_is_narrowed(
    client: AsyncClient, session: AsyncSession, query: dict[str, object], expected: list[str]
) -> None:
    session.add(product("lamp", category="light", price_cents=500))
    session.add(product("desk", price_cents=50_000, in_stock=False))
    session.add(product("cup", price_cents=499))
    await session.flush()
    assert sorted(await names(client, **query)) == expected


async def test_pages_follow_each_other_without_gap_or_repeat(client: AsyncClient, session: AsyncSession) -> None:
    # Three at the same instant: the id decides among them.
    moments = [NOON, NOON, NOON, NOON + timedelta(hours=1), NOON - timedelta(hours=1)]
    session.add_all([product(str(number), created_at=moment) for number, moment in enumerate(moments)])
    await session.flush()

    seen: list[str] = []
    query = {"limit": "2"}
    for _ in range(3):
        page = (await client.get("/api/products", params=query)).json()
        seen += [item["name"] for item in page["items"]]
        query["cursor"] = page.get("next_cursor") or ""

    assert seen == await names(client)
    assert len(set(seen)) == 5
    assert page["next_cursor"] is None


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_a_cursor_at_the_end_of_time_is_no_error(client: AsyncClient, year: str) -> None:
    assert await names(client, cursor=crafted(f"{year}-01-01T00:00:00+00:00")) == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "min_price_cents=-1", f"max_price_cents={2**63}", "in_stock=perhaps",
        "category=%00", f"category={'x' * 101}", "cursor=zzz", "cursor=%F0%9F%99%82", "cursor=MjAyNi0wMS0wMSB6",
        f"cursor={crafted('9999-12-31T23:59:59-23:59')}", f"cursor={crafted('0001-01-01T00:00:00+23:59')}",
        f"cursor={crafted('2026-01-01T00:00:00')}",
    ],
)  # fmt: skip
async def test_a_wrong_query_is_refused(client: AsyncClient, query: str) -> None:
    response = await client.get(f"/api/products?{query}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_nothing_writes_until_there_are_accounts(client: AsyncClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await client.request(method, "/api/products")).status_code == 405
        assert (await client.request(method, f"/api/products/{uuid4()}")).status_code == 405
