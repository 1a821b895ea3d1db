"""What everybody may do, by the API and by the page."""

from datetime import timedelta
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response
from queries import counted
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.db.base import utc_now
from app.features.webinar_registrants.models import Status, Webinar, WebinarRegistrant
from app.http import assets

SOON = utc_now() + timedelta(days=7)
PERSON = {"name": "Ada Lovelace", "email": "Ada@Example.com", "company": "Engines"}


async def webinar(session: AsyncSession, title: str = "Migrations", **fields: object) -> Webinar:
    made = Webinar(**{"title": title, "starts_at": SOON, **fields})
    session.add(made)
    await session.flush()
    return made


async def registrants(session: AsyncSession) -> list[WebinarRegistrant]:
    return list(await session.scalars(select(WebinarRegistrant).order_by(WebinarRegistrant.name)))


async def register(client: AsyncClient, door: str, made: Webinar, **fields: str) -> Response:
    wanted = {"webinar_id": str(made.id), **PERSON, **fields}
    if door == "/webinars":
        return await client.post(door, data=wanted, headers={"Origin": "http://localhost"})
    return await client.post(door, json=wanted)


DOORS = pytest.mark.parametrize("door", ["/webinars", "/api/webinar-registrants"])


@DOORS
async def test_somebody_registers(client: AsyncClient, session: AsyncSession, door: str) -> None:
    made = await webinar(session)
    response = await register(client, door, made, is_public="true")
    assert response.status_code == (303 if door == "/webinars" else 201)
    [row] = await registrants(session)
    assert (row.email, row.name, row.company) == ("ada@example.com", "Ada Lovelace", "Engines")
    assert (row.webinar_title, row.webinar_date) == (made.title, made.starts_at)
    assert (row.status, row.is_public, row.group, row.notes) == ("registered", True, None, None)


@DOORS
async def test_who_is_registered_is_told_to_nobody(client: AsyncClient, session: AsyncSession, door: str) -> None:
    made = await webinar(session)
    first = await register(client, door, made)
    again = await register(client, door, made, name="Somebody Else", email="ADA@example.com", is_public="true")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.headers.get("location") == again.headers.get("location")
    assert first.cookies.get("notice") == again.cookies.get("notice")
    [row] = await registrants(session)
    assert (row.name, row.is_public) == ("Ada Lovelace", False)


@DOORS
async def test_one_address_is_not_tried_for_ever(client: AsyncClient, session: AsyncSession, door: str) -> None:
    made = await webinar(session)
    codes = [(await register(client, door, made)).status_code for _ in range(11)]
    assert codes == [codes[0]] * 10 + [429]


@DOORS
async def test_one_address_may_come_to_two_webinars(client: AsyncClient, session: AsyncSession, door: str) -> None:
    for made in (await webinar(session), await webinar(session, "Another")):
        await register(client, door, made)
    assert len(await registrants(session)) == 2


@DOORS
@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"}, {"email": "a\0@example.com"}, {"name": ""}, {"name": " "}, {"name": "x" * 201},
        {"webinar_id": "x"}, {"webinar_id": str(uuid4())}, {"company": "x" * 201},
    ],
)  # fmt: skip
async def test_what_is_not_valid_is_refused(
    client: AsyncClient, session: AsyncSession, door: str, wrong: dict[str, str]
) -> None:
    response = await register(client, door, await webinar(session), **wrong)
    assert response.status_code in (404, 422)  # 404: there is no such webinar
    assert await registrants(session) == []


@DOORS
async def test_a_webinar_that_has_begun_takes_nobody(client: AsyncClient, session: AsyncSession, door: str) -> None:
    response = await register(client, door, await webinar(session, starts_at=utc_now()))
    assert response.status_code == (404 if door.startswith("/api") else 422)
    assert "still ahead" in response.text


async def test_the_next_webinar_comes_first_and_the_last_ones_not(client: AsyncClient, session: AsyncSession) -> None:
    await webinar(session, "later", starts_at=SOON + timedelta(days=1))
    await webinar(session, "next")
    await webinar(session, "over", starts_at=utc_now() - timedelta(minutes=1))
    found = (await client.get("/api/webinars")).json()
    assert [item["title"] for item in found] == ["next", "later"]
    page = (await client.get("/webinars")).text
    assert page.index("next") < page.index("later")
    assert "over" not in page.partition("<main")[2].partition("</main>")[0].replace("cover", "")


@pytest.mark.parametrize(
    ("is_public", "status", "is_named"),
    [(True, Status.CONFIRMED, True), (False, Status.CONFIRMED, False), (True, Status.REGISTERED, False),
     (True, Status.CANCELLED, False)],
)  # fmt: skip
async def test_only_who_agreed_and_was_confirmed_is_named(
    client: AsyncClient, session: AsyncSession, is_public: bool, status: Status, is_named: bool
) -> None:
    made = await webinar(session)
    session.add(
        WebinarRegistrant(
            email="ada@example.com", name="<b>Ada", webinar_title=made.title, webinar_date=made.starts_at,
            is_public=is_public, status=status,
        )
    )  # fmt: skip
    await session.flush()
    [item] = (await client.get("/api/webinars")).json()
    assert item == {
        "id": str(made.id),
        "title": made.title,
        "starts_at": item["starts_at"],
        "attendees": item["attendees"],
    }
    assert item["attendees"] == (["<b>Ada"] if is_named else [])
    page = (await client.get("/webinars")).text
    assert ("&lt;b&gt;Ada" in page) == is_named
    assert "ada@example.com" not in page


async def test_a_form_with_errors_is_shown_as_it_was_typed(client: AsyncClient, session: AsyncSession) -> None:
    await webinar(session, "One")
    chosen = await webinar(session, "Two")
    text = (await register(client, "/webinars", chosen, email='no"body', is_public="true")).text
    assert 'value="no&#34;body"' in text
    assert f'value="{chosen.id}" selected' in text
    assert 'aria-invalid="true"' in text
    assert "checked" in text


async def test_without_webinars_the_page_says_so(client: AsyncClient) -> None:
    page = await client.get("/webinars")
    assert "No webinar is planned" in page.text
    assert "<form method" not in page.text.partition("<main")[2]


async def test_the_page_is_light(client: AsyncClient, session: AsyncSession, engine: AsyncEngine) -> None:
    for number in range(20):
        await webinar(session, f"Webinar {number}")
    with counted(engine) as statements:
        page = await client.get("/webinars")
    assert len(statements) <= 3, statements
    assert len(page.content) + weight_of_assets() < 100_000


def weight_of_assets() -> int:
    return sum((assets.FOLDER / name).stat().st_size for name in ("app.css", "vendor/htmx/htmx.min.js", "icon.svg"))
