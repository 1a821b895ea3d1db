"""A department sees its own registrants, and those that are nobody's; staff sees all of them."""

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest
from admins import enter, form_of
from httpx import AsyncClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.webinar_registrants.admin import VIEWS
from app.features.webinar_registrants.models import WebinarRegistrant

PATH = "/admin/webinar-registrants"
DATE = datetime(2027, 2, 10, 17, tzinfo=UTC)


async def registrants(session: AsyncSession) -> dict[str, UUID]:
    """Their ids by name: Sally of sales, Mark of marketing, Nora of nobody."""
    rows = [
        WebinarRegistrant(email=f"{name}@example.com", name=name, webinar_title="T", webinar_date=DATE, group=group)
        for name, group in (("Sally", "sales"), ("Mark", "marketing"), ("Nora", None))
    ]
    session.add_all(rows)
    await session.flush()
    return {row.name: row.id for row in rows}


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("superuser", {"Sally", "Mark", "Nora"}),
        ("staff", {"Sally", "Mark", "Nora"}),
        ("sales", {"Sally", "Nora"}),
        ("marketing", {"Mark", "Nora"}),
        ("support", {"Nora"}),
    ],
)
async def test_everybody_finds_their_own(
    browser: AsyncClient, session: AsyncSession, kind: str, seen: set[str]
) -> None:
    ids = await registrants(session)
    await enter(browser, session, kind)
    for path in (PATH, f"{PATH}/export.csv", f"{PATH}?q=example.com", f"{PATH}/export.csv?q=example.com&sort=name"):
        text = (await browser.get(path)).text
        assert {name for name in ids if f"{name}@example.com" in text} == seen, path
    for name, key in ids.items():
        assert (await browser.get(f"{PATH}/{key}")).status_code == (200 if name in seen else 404)
    counted = (await browser.get(PATH)).text
    assert f"{len(seen)} in all" in counted


async def test_what_is_not_seen_is_neither_changed_nor_deleted(browser: AsyncClient, session: AsyncSession) -> None:
    ids = await registrants(session)
    await enter(browser, session, "sales")
    sent = await form_of(browser, f"{PATH}/{ids['Sally']}", name="Hacked")
    assert (await browser.post(f"{PATH}/{ids['Mark']}", data=sent)).status_code == 404
    for chosen in ([ids["Mark"]], [ids["Sally"], ids["Mark"]]):
        for sure in ({}, {"sure": "yes"}):
            answer = await browser.post(f"{PATH}/delete", data={"id": [str(key) for key in chosen], **sure})
            assert answer.status_code == 404
    assert set(await session.scalars(select(WebinarRegistrant.name))) == {"Sally", "Mark", "Nora"}


async def test_to_whom_a_registrant_belongs_is_for_staff_to_say(browser: AsyncClient, session: AsyncSession) -> None:
    ids = await registrants(session)
    for kind, status, group in (("sales", 422, None), ("staff", 303, "sales")):
        await enter(browser, session, kind)
        sent = await form_of(browser, f"{PATH}/{ids['Nora']}", group="sales", assigned_sales_rep="Sally")
        answer = await browser.post(f"{PATH}/{ids['Nora']}", data=sent)
        assert answer.status_code == status
        assert ("not for you to change" in answer.text) == (status == 422)
        row = await session.get_one(WebinarRegistrant, ids["Nora"], populate_existing=True)
        assert row.group == group


async def test_neither_a_file_nor_a_status_of_ones_own_is_typed(browser: AsyncClient, session: AsyncSession) -> None:
    ids = await registrants(session)
    await enter(browser, session, "superuser")
    sent = await form_of(browser, f"{PATH}/{ids['Sally']}", photo_url="webinar_registrants/another.webp")
    assert (await browser.post(f"{PATH}/{ids['Sally']}", data=sent)).status_code == 303
    sent = await form_of(browser, f"{PATH}/{ids['Sally']}", status="bogus")
    assert (await browser.post(f"{PATH}/{ids['Sally']}", data=sent)).status_code == 422
    row = await session.get_one(WebinarRegistrant, ids["Sally"], populate_existing=True)
    assert (row.photo_url, row.status) == (None, "registered")


async def test_nobody_gives_a_row_away_to_where_they_do_not_see_it(
    browser: AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(cast("dict[str, object]", VIEWS[0].restricted), "group")
    ids = await registrants(session)
    await enter(browser, session, "sales")
    for name, path in (("Sally", f"{PATH}/{ids['Sally']}"), ("Nina", f"{PATH}/new")):
        fields = {
            "email": f"{name}@example.org",
            "name": name,
            "webinar_title": "T",
            "webinar_date": "2027-02-10T17:00",
        }
        sent = await form_of(browser, path, **fields, group="marketing")
        answer = await browser.post(path, data=sent)
        assert answer.status_code == 422
        assert "could not see it any more" in answer.text
    groups = await session.execute(select(WebinarRegistrant.name, WebinarRegistrant.group))
    assert {row.name: row.group for row in groups} == {"Sally": "sales", "Mark": "marketing", "Nora": None}


async def test_one_registration_for_one_webinar(browser: AsyncClient, session: AsyncSession) -> None:
    await registrants(session)
    await enter(browser, session, "staff")
    fields = {"email": "Mark@example.com", "name": "M", "webinar_title": "T", "webinar_date": "2027-02-10T17:00"}
    answer = await browser.post(f"{PATH}/new", data=await form_of(browser, f"{PATH}/new", **fields))
    assert answer.status_code == 422
    assert "Another row has the same values already." in answer.text


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "x", "1e400", "99999-01-01T00:00"]
)
async def test_a_time_that_is_none_is_refused(browser: AsyncClient, session: AsyncSession, date: str) -> None:
    await enter(browser, session, "staff")
    fields = {"email": "m@example.com", "name": "M", "webinar_title": "T", "webinar_date": date}
    answer = await browser.post(f"{PATH}/new", data=await form_of(browser, f"{PATH}/new", **fields))
    assert answer.status_code == 422
