"""The pages of those who work here, with and without JavaScript."""

from pathlib import Path

import pytest
from httpx import AsyncClient
from people import headers_of, person, token_of
from pictures import HOSTILE, picture
from queries import counted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from webinar_registrants.rows import registrant
from webinar_registrants.test_webinars import weight_of_assets

PAGE = "/webinars/registrants"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def staff(browser: AsyncClient, session: AsyncSession) -> AsyncClient:
    return await logged_in(browser, session, "staff")


async def logged_in(browser: AsyncClient, session: AsyncSession, kind: str) -> AsyncClient:
    browser.cookies.set("session", await token_of(session, await person(session, kind)))
    return browser


async def test_a_stranger_is_sent_to_log_in(browser: AsyncClient) -> None:
    response = await browser.get(f"{PAGE}?status=confirmed")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=/webinars/registrants%3Fstatus%3Dconfirmed"


async def test_everything_is_escaped(staff: AsyncClient, session: AsyncSession) -> None:
    forged = "<script>alert(1)</script>"
    await registrant(session, forged, **dict.fromkeys(("company", "notes", "assigned_sales_rep"), forged))
    text = (await staff.get(PAGE)).text
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 5


@pytest.mark.parametrize(
    ("kind", "edits", "assigns", "uploads"),
    [("support", 0, 0, 0), ("sales", 1, 0, 0), ("marketing", 1, 0, 1), ("staff", 1, 1, 1), ("superuser", 1, 1, 1)],
)
async def test_one_is_offered_what_one_may_do(
    browser: AsyncClient, session: AsyncSession, kind: str, edits: int, assigns: int, uploads: int
) -> None:
    await registrant(session, notes="Called.")
    await registrant(session, "Hidden", group="nobody's")
    text = (await (await logged_in(browser, session, kind)).get(PAGE)).text
    assert "Called." in text
    assert ("Hidden" in text) == (assigns == 1)
    cards = 2 if assigns else 1
    assert text.count("<textarea") == edits * cards
    assert text.count('name="group"') == assigns * cards
    assert text.count('type="file"') == uploads * cards


async def test_the_list_is_narrowed_by_a_form(staff: AsyncClient, session: AsyncSession) -> None:
    await registrant(session, "Ada", status="confirmed")
    await registrant(session, "Grace", webinar_title="Other")
    text = (await staff.get(f"{PAGE}?webinar_title=&status=confirmed&q=")).text
    assert "<h2>Ada</h2>" in text
    assert "<h2>Grace</h2>" not in text
    assert '<option value="confirmed" selected>' in text
    assert '<option value="Other">Other</option>' in text
    assert "Nobody here." in (await staff.get(f"{PAGE}?q=nobody")).text


async def test_pages_keep_their_filters(staff: AsyncClient, session: AsyncSession) -> None:
    for number in range(21):
        await registrant(session, f"P{number}", status="confirmed")
    first = (await staff.get(f"{PAGE}?status=confirmed")).text
    assert first.count("<article") == 20
    link = first.partition('<a href="?')[2].partition('"')[0].replace("&amp;", "&")
    assert "status=confirmed" in link
    assert (await staff.get(f"{PAGE}?{link}")).text.count("<article") == 1


async def test_a_plain_form_lands_on_the_page_of_what_it_changed(staff: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    form = {"status": "confirmed", "notes": "Called.", "group": "sales", "assigned_sales_rep": "Grace"}
    response = await staff.post(f"{PAGE}/{row.id}", data=form, follow_redirects=True)
    assert response.url.path == f"{PAGE}/{row.id}"
    assert "Saved." in response.text
    await session.refresh(row)
    assert {name: getattr(row, name) for name in form} == form
    await staff.post(f"{PAGE}/{row.id}", data={"status": "confirmed", "notes": "", "group": ""})
    await session.refresh(row)
    assert (row.notes, row.group, row.assigned_sales_rep) == (None, None, "Grace")


async def test_htmx_gets_the_new_card_alone(staff: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    form = {"status": "attended", "notes": "Came."}
    response = await staff.post(f"{PAGE}/{row.id}", data=form, headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert response.text.count("<article") == 1
    assert all(said in response.text for said in ("Came.", "attended", "Saved."))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
async def test_what_was_typed_is_shown_again_with_its_error(
    staff: AsyncClient, session: AsyncSession, headers: dict[str, str]
) -> None:
    row = await registrant(session, notes="Before.")
    response = await staff.post(f"{PAGE}/{row.id}", data={"notes": "y" * 10_001}, headers=headers)
    assert response.status_code == 422
    assert "yyy</textarea>" in response.text
    assert "Notes: " in response.text
    assert "at most 10000 " in response.text
    assert ("<html" in response.text) == (not headers)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
async def test_what_somebody_else_wrote_meanwhile_is_shown_beside_what_was_typed(
    staff: AsyncClient, session: AsyncSession, headers: dict[str, str]
) -> None:
    row = await registrant(session)
    seen_at = row.updated_at.isoformat()
    await staff.post(f"{PAGE}/{row.id}", data={"notes": "Theirs.", "seen_at": seen_at})
    late = await staff.post(f"{PAGE}/{row.id}", data={"notes": "Mine.", "seen_at": seen_at}, headers=headers)
    assert late.status_code == 409
    assert "Somebody else changed" in late.text
    assert '<p class="kept">Theirs.</p>' in late.text
    assert "Mine.</textarea>" in late.text
    seen_at = late.text.partition('name="seen_at" value="')[2].partition('"')[0]
    await staff.post(f"{PAGE}/{row.id}", data={"notes": "Both.", "seen_at": seen_at}, headers=headers)
    await session.refresh(row)
    assert row.notes == "Both."


async def test_a_group_cannot_give_rows_away_by_a_forged_form(browser: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    await (await logged_in(browser, session, "sales")).post(f"{PAGE}/{row.id}", data={"notes": "x", "group": "sales"})
    await session.refresh(row)
    assert (row.notes, row.group) == ("x", None)


@pytest.mark.parametrize("kind", ["sales", "marketing"])
async def test_a_row_of_another_group_is_not_there(browser: AsyncClient, session: AsyncSession, kind: str) -> None:
    row = await registrant(session, group="support")
    await logged_in(browser, session, kind)
    assert (await browser.get(f"{PAGE}/{row.id}")).status_code == 404
    assert (await browser.post(f"{PAGE}/{row.id}", data={"notes": "x"})).status_code == 404


async def test_a_photo_is_uploaded_seen_and_removed(staff: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    files = {"photo": ("me.png", picture(), "image/png")}
    plain = await staff.post(f"{PAGE}/{row.id}/photo", files=files, follow_redirects=True)
    assert "The photo is kept." in plain.text
    address = plain.text.partition('<img class="picture" src="')[2].partition('"')[0]
    assert (await staff.get(address)).headers["content-type"] == "image/webp"
    again = await staff.post(f"{PAGE}/{row.id}/photo", files=files, headers=HTMX)
    assert again.text.count("<article") == 1
    assert address not in again.text
    gone = await staff.post(f"{PAGE}/{row.id}/photo/remove", headers=HTMX)
    assert "The photo is gone." in gone.text
    assert "<img" not in gone.text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
async def test_what_is_no_photo_is_said_on_the_card(
    staff: AsyncClient, session: AsyncSession, tmp_path: Path, headers: dict[str, str]
) -> None:
    row = await registrant(session)
    files = {"photo": ("me.png", HOSTILE["html.png"], "image/png")}
    response = await staff.post(f"{PAGE}/{row.id}/photo", files=files, headers=headers)
    assert response.status_code == 415
    assert "Photo: A JPEG, PNG or WebP picture is wanted" in response.text
    assert response.text.count("<article") == 1
    assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []


async def test_a_photo_may_be_larger_than_other_forms(staff: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    files = {"photo": ("me.png", picture() + b"x" * 2_000_000, "image/png")}
    assert (await staff.post(f"{PAGE}/{row.id}/photo", files=files)).status_code == 303


async def test_the_page_is_light(staff: AsyncClient, session: AsyncSession, engine: AsyncEngine) -> None:
    for number in range(30):
        await registrant(session, f"Person {number}", company="A company", notes="Called twice.", group="sales")
    with counted(engine) as statements:
        page = await staff.get(PAGE)
    assert page.text.count("<article") == 20
    assert len(statements) <= 3, statements
    assert len(page.content) + weight_of_assets() < 100_000


@pytest.mark.parametrize("kind", ["anonymous", "user", "support"])
async def test_the_way_to_the_registrants_is_shown_to_those_who_may_go(
    client: AsyncClient, session: AsyncSession, kind: str
) -> None:
    text = (await client.get("/webinars", headers=await headers_of(session, kind))).text
    assert ("See who has registered" in text) == (kind == "support")
