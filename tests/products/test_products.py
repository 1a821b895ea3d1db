from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.products.models import Product
from app.settings import ROOT

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def product(name: str = "Lamp", **values: object) -> Product:
    return Product(**{"name": name, "price_cents": 1000, "created_at": NOON, **values})


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
    assert shown == {**expected, "version": 1}


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
        ({"min_price_cents": 2**53 - 1}, []),
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


@pytest.mark.parametrize("microseconds", ["0", "9" * 17])
async def test_a_cursor_at_the_end_of_time_is_no_error(client: AsyncClient, microseconds: str) -> None:
    assert await names(client, cursor=f"{microseconds}-{'f' * 32}") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "min_price_cents=-1", f"max_price_cents={2**53}", "in_stock=perhaps",
        "category=%00", f"category={'x' * 101}", "cursor=zzz", "cursor=%F0%9F%99%82", "cursor=",
        f"cursor={'9' * 18}-{'f' * 32}", f"cursor=-1-{'f' * 32}", f"cursor=1-{'g' * 32}", f"cursor=%D9%A3-{'f' * 32}",
    ],
)  # fmt: skip
async def test_a_wrong_query_is_refused(client: AsyncClient, query: str) -> None:
    response = await client.get(f"/api/products?{query}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_the_feature_to_read_first_is_short() -> None:
    files = list((ROOT / "app/features/products").glob("*.py"))
    assert {path.stem for path in files} >= {"models", "schemas", "service", "router"}
    assert all(len(path.read_text().splitlines()) < 100 for path in files)
