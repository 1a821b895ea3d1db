import re
from uuid import uuid4

import pytest
from httpx import AsyncClient
from people import cookies_of
from queries import counted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.features.products import samples
from app.features.products.models import Product
from app.features.products.schemas import cents

FORGED = "<script>alert(1)</script>"
TYPED = {"name": "Lamp", "price": "12.90", "category": "light", "description": "Warm", "in_stock": "true"}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
MAX_BYTES = 100_000


@pytest.fixture
async def staff(browser: AsyncClient, session: AsyncSession) -> AsyncClient:
    browser.cookies.update(await cookies_of(session, "staff"))
    return browser


@pytest.fixture
async def lamp(session: AsyncSession) -> Product:
    lamp = Product(name="Lamp", price_cents=1290, category="light", description="Warm")
    session.add(lamp)
    await session.flush()
    return lamp


@pytest.fixture
async def shelf(session: AsyncSession) -> None:
    session.add_all(samples.samples())
    await session.flush()


def names(text: str) -> list[str]:
    return re.findall(r"<strong>(.*?)</strong>", text)


def typed(text: str, name: str) -> str:
    found = re.search(rf'<input[^>]*value="([^"]*)"[^>]*name="{name}"|name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1] or found[2] or ""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("category=audio&in_stock=&min_price=&max_price=", ["Desk microphone", "Noise-cancelling headphones"]),
        ("in_stock=false", ["USB-C dock", "Standing desk"]),
        ("min_price=249", ["Noise-cancelling headphones", "Standing desk"]),
        ("max_price=15&min_price=12,90", ["Coffee mug", "Field notebook"]),
        ("category=nothing", []),
    ],
)
async def test_the_list_is_narrowed(browser: AsyncClient, shelf: None, query: str, expected: list[str]) -> None:
    response = await browser.get(f"/products?{query}")
    assert response.status_code == 200
    assert names(response.text) == expected
    assert ("No product is like that." in response.text) == (expected == [])


async def test_htmx_gets_the_part_that_the_form_names(browser: AsyncClient, shelf: None) -> None:
    text = (await browser.get("/products?in_stock=false", headers=HTMX)).text
    assert 'hx-get="/products"' in text
    for attribute in ("hx-target", "hx-select"):
        assert f'{attribute}="#main"' in text
    assert text.count('id="main"') == 1
    assert names(text[text.index('id="main"') :]) == ["USB-C dock", "Standing desk"]


async def test_the_filters_stay_through_the_pages(browser: AsyncClient, session: AsyncSession) -> None:
    session.add_all([Product(name=f"Cup {number}", price_cents=900, category="a&b") for number in range(25)])
    session.add(Product(name="Lamp", price_cents=900))
    await session.flush()
    first = await browser.get("/products?category=a%26b&min_price=9")
    [following] = re.findall(r'href="(\?[^"]+)" rel="next"', first.text)
    second = await browser.get(f"/products{following.replace('&amp;', '&')}")
    assert sorted(names(first.text) + names(second.text)) == sorted(f"Cup {number}" for number in range(25))
    assert '<option value="a&amp;b" selected>' in second.text
    assert typed(second.text, "min_price") == "9"


@pytest.mark.parametrize(
    "query",
    ["min_price=cheap", f"max_price={'9' * 30}", "in_stock=perhaps", "category=%00", "min_price=-1", "limit=0"],
)
async def test_a_wrong_filter_is_shown_again(browser: AsyncClient, shelf: None, query: str) -> None:
    response = await browser.get(f"/products?{query}")
    assert response.status_code == 422
    assert "<h1>Products</h1>" in response.text
    assert names(response.text) == []


async def test_a_wrong_price_is_explained_at_its_field(browser: AsyncClient) -> None:
    response = await browser.get("/products", params={"min_price": FORGED})
    assert '<p class="error" id="min_price-error">Write a price like 12.90.</p>' in response.text
    assert FORGED not in response.text


async def test_a_product_is_shown_escaped(browser: AsyncClient, session: AsyncSession) -> None:
    product = Product(name=FORGED, description=f"{FORGED}\nline two", price_cents=2**53 - 1, category=f"{FORGED}&x=1")
    session.add(product)
    await session.flush()
    for path in (f"/products/{product.id}", "/products"):
        text = (await browser.get(path)).text
        assert FORGED not in text
        assert "&lt;script&gt;" in text
        assert "90071992547409.91" in text
    shown = (await browser.get(f"/products/{product.id}")).text
    assert "/script&gt;\nline two" in shown
    [path] = re.findall(r'href="(/products\?category=[^"]+)"', shown)
    assert len(re.findall('class="card"', (await browser.get(path)).text)) == 1


async def test_a_missing_product_is_a_page(browser: AsyncClient) -> None:
    response = await browser.get(f"/products/{uuid4()}")
    assert (response.status_code, "There is no such product." in response.text) == (404, True)
    assert (await browser.get("/products/x")).status_code == 422


async def test_staff_adds_changes_and_deletes_a_product(staff: AsyncClient) -> None:
    created = await staff.post("/products/new", data=TYPED)
    assert created.status_code == 303
    path = created.headers["location"]
    shown = (await staff.get(path)).text
    assert "Lamp is in the catalogue." in shown
    assert "<dd>12.90</dd>" in shown

    form = (await staff.get(f"{path}/edit")).text
    assert (typed(form, "price"), typed(form, "version")) == ("12.90", "1")
    changed = await staff.post(f"{path}/edit", data={"name": "Bright lamp", "price": "7,5", "version": "1"})
    assert (changed.status_code, changed.headers["location"]) == (303, path)
    stored = (await staff.get(f"/api{path}")).json()
    expected = {"name": "Bright lamp", "price_cents": 750, "category": None, "description": None, "in_stock": False}
    assert stored.items() >= {**expected, "version": 2}.items()

    [delete] = re.findall(r'action="([^"]+/delete[^"]*)"', (await staff.get(path)).text)
    assert (await staff.post(delete)).headers["location"] == "/products"
    assert (await staff.get(path)).status_code == 404


WRONG = [
    ("name", ["", "   ", "x" * 201, "a\0b"]),
    ("price", ["", "-1", "1.234", "1,000", "1e3", "٣", "NaN", "9" * 17 + "9", "90071992547409.92", "true", "\0"]),
    ("category", ["x" * 101, "   "]),
    ("description", ["x" * 10_001]),
    ("in_stock", ["perhaps"]),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG for value in values])
async def test_a_form_that_is_wrong_comes_back_with_what_was_typed(
    staff: AsyncClient, lamp: Product, field: str, value: str
) -> None:
    for path in ("/products/new", f"/products/{lamp.id}/edit"):
        response = await staff.post(path, data={**TYPED, "name": "Typed", "version": "1", field: value})
        assert response.status_code == 422
        assert f'id="{field}-error"' in response.text
        if field != "name":
            assert typed(response.text, "name") == "Typed"
    assert [item["name"] for item in (await staff.get("/api/products")).json()["items"]] == ["Lamp"]


@pytest.mark.parametrize("version", ["", "x", "0", "9" * 30])
async def test_a_form_without_its_version_changes_nothing(staff: AsyncClient, lamp: Product, version: str) -> None:
    edited = await staff.post(f"/products/{lamp.id}/edit", data={**TYPED, "name": "x", "version": version})
    deleted = await staff.post(f"/products/{lamp.id}/delete", params={"version": version})
    assert (edited.status_code, deleted.status_code) == (422, 422)
    assert (await staff.get(f"/api/products/{lamp.id}")).json()["name"] == "Lamp"


async def test_who_comes_second_sees_both_and_can_go_on(staff: AsyncClient, lamp: Product) -> None:
    path = f"/products/{lamp.id}/edit"
    await staff.post(path, data={**TYPED, "name": "First", "price": "5", "version": "1"})

    second = await staff.post(path, data={**TYPED, "name": "Second", "version": "1"})

    assert second.status_code == 409
    assert "Somebody else changed this product meanwhile" in second.text
    assert (typed(second.text, "name"), typed(second.text, "price")) == ("Second", "12.90")
    now = second.text[second.text.index("What stands there now") : second.text.index("What you typed")]
    assert "<strong>First</strong>" in now
    assert "<dd>5.00</dd>" in now
    again = {**TYPED, "name": "Second", "version": typed(second.text, "version")}
    assert (await staff.post(path, data=again)).status_code == 303
    stored = (await staff.get(f"/api/products/{lamp.id}")).json()
    assert (stored["name"], stored["version"]) == ("Second", 3)


async def test_a_product_that_changed_is_not_deleted_unseen(staff: AsyncClient, lamp: Product) -> None:
    await staff.post(f"/products/{lamp.id}/edit", data={**TYPED, "name": "Changed", "version": "1"})
    response = await staff.post(f"/products/{lamp.id}/delete?version=1")
    assert response.status_code == 409
    assert "Somebody else changed this product meanwhile" in response.text
    assert "<h1>Changed</h1>" in response.text
    assert "/delete?version=2" in response.text


@pytest.mark.parametrize("kind", ["anonymous", "user", "superuser"])
async def test_only_staff_sees_what_changes_products(
    browser: AsyncClient, session: AsyncSession, lamp: Product, kind: str
) -> None:
    if kind != "anonymous":
        browser.cookies.update(await cookies_of(session, kind))
    shown = (await browser.get("/products")).text + (await browser.get(f"/products/{lamp.id}")).text
    for words in ("/products/new", "/edit", "/delete"):
        assert (words in shown) == (kind == "superuser")
    status = {"anonymous": 303, "user": 403, "superuser": 303}[kind]
    response = await browser.post("/products/new", data=TYPED)
    assert response.status_code == status
    assert response.headers.get("location", "").startswith("/login") == (kind == "anonymous")


async def test_the_pages_are_light_and_ask_little(
    staff: AsyncClient, shelf: None, lamp: Product, engine: AsyncEngine
) -> None:
    weights = [len((await staff.get(f"/static/{name}")).content) for name in ("app.css", "vendor/htmx/htmx.min.js")]
    for path in ("/products", "/products/new", f"/products/{lamp.id}", f"/products/{lamp.id}/edit"):
        with counted(engine) as statements:
            response = await staff.get(path)
        assert 1 <= len(statements) <= 3, statements
        assert len(response.content) + sum(weights) < MAX_BYTES


@pytest.mark.parametrize(("text", "expected"), [("12.90", 1290), ("12,9", 1290), (" 12 ", 1200), ("0", 0), ("0.05", 5)])
def test_a_price_is_read_as_people_write_it(text: str, expected: int) -> None:
    assert cents(text) == expected


@pytest.mark.parametrize("price_cents", [0, 5, 99, 100, 1290, 2**53 - 1])
def test_a_price_is_read_as_it_is_shown(price_cents: int) -> None:
    assert cents(Product(price_cents=price_cents).price) == price_cents
