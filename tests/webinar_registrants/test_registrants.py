"""What those who work here see and change, by the API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from httpx import AsyncClient
from people import headers_of
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from webinar_registrants.rows import API, NOON, registrant

from app.features.audit_logs.models import AuditLog

GROUPS = ("marketing", "sales", "support", None)


async def names(client: AsyncClient, headers: dict[str, str], **query: str) -> list[str]:
    response = await client.get(API, params=query, headers=headers)
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["items"]]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("staff", {"marketing", "sales", "support", "None"}),
        ("superuser", {"marketing", "sales", "support", "None"}),
        ("marketing", {"marketing", "None"}),
        ("sales", {"sales", "None"}),
        ("support", {"support", "None"}),
    ],
)
async def test_everybody_sees_their_rows_and_no_others(
    client: AsyncClient, session: AsyncSession, kind: str, seen: set[str]
) -> None:
    rows = {str(group): await registrant(session, str(group), group=group) for group in GROUPS}
    headers = await headers_of(session, kind)
    assert set(await names(client, headers)) == seen
    for name, row in rows.items():
        found = await client.get(f"{API}/{row.id}", headers=headers)
        assert found.status_code == (200 if name in seen else 404)


@pytest.mark.parametrize("kind", ["marketing", "sales"])
async def test_a_row_of_another_group_is_not_there_to_change(
    client: AsyncClient, session: AsyncSession, kind: str
) -> None:
    row = await registrant(session, group="support")
    headers = await headers_of(session, kind)
    change = await client.patch(f"{API}/{row.id}", json={"notes": "x"}, headers=headers)
    nowhere = await client.patch(f"{API}/{uuid4()}", json={"notes": "x"}, headers=headers)
    assert (change.status_code, change.json()["detail"]) == (nowhere.status_code, nowhere.json()["detail"])
    assert change.status_code == 404
    await session.refresh(row)
    assert row.notes is None


@pytest.mark.parametrize("kind", ["marketing", "sales", "staff", "superuser"])
async def test_notes_and_status_are_changed_and_what_is_left_out_stays(
    client: AsyncClient, session: AsyncSession, kind: str
) -> None:
    row = await registrant(session, company="Engines", assigned_sales_rep="Grace")
    headers = await headers_of(session, kind)
    changed = await client.patch(f"{API}/{row.id}", json={"notes": "Called."}, headers=headers)
    assert changed.status_code == 200
    changed = await client.patch(f"{API}/{row.id}", json={"status": "confirmed"}, headers=headers)
    shown = changed.json()
    assert (shown["notes"], shown["status"]) == ("Called.", "confirmed")
    assert (shown["company"], shown["assigned_sales_rep"], shown["group"]) == ("Engines", "Grace", None)
    assert (await client.get(f"{API}/{row.id}", headers=headers)).json() == shown


async def test_two_who_change_the_same_do_not_overwrite_each_other(client: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "sales")
    seen_at = (await client.get(f"{API}/{row.id}", headers=headers)).json()["updated_at"]
    for number, status in enumerate((200, 409)):
        wanted = {"notes": f"{number}", "seen_at": seen_at}
        response = await client.patch(f"{API}/{row.id}", json=wanted, headers=headers)
        assert response.status_code == status
    assert "look at it again" in response.json()["detail"]
    assert (await client.get(f"{API}/{row.id}", headers=headers)).json()["notes"] == "0"


@pytest.mark.parametrize("field", ["group", "assigned_sales_rep"])
@pytest.mark.parametrize(("kind", "status"), [("marketing", 403), ("sales", 403), ("staff", 200), ("superuser", 200)])
async def test_to_whom_a_registrant_belongs_is_for_staff_to_say(
    client: AsyncClient, session: AsyncSession, kind: str, status: int, field: str
) -> None:
    row = await registrant(session)
    response = await client.patch(
        f"{API}/{row.id}", json={"notes": "x", field: "sales"}, headers=await headers_of(session, kind)
    )
    assert response.status_code == status
    await session.refresh(row)
    assert getattr(row, field) == ("sales" if status == 200 else None)
    assert row.notes == ("x" if status == 200 else None)


@pytest.mark.parametrize(
    "wrong",
    [{"status": "gone"}, {"status": None}, {"group": "staff"}, {"notes": "x" * 10_001}, {"notes": "\0"}, {"notes": 1}],
)
async def test_a_wrong_change_is_refused(client: AsyncClient, session: AsyncSession, wrong: dict[str, object]) -> None:
    row = await registrant(session)
    response = await client.patch(f"{API}/{row.id}", json=wrong, headers=await headers_of(session, "staff"))
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "confirmed"}, ["Grace"]),
        ({"status": ""}, ["Grace", "Ada"]),
        ({"webinar_title": "Other"}, ["Ada"]),
        ({"q": "GRA"}, ["Grace"]),
        ({"q": "@EXAMPLE"}, ["Grace", "Ada"]),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "ada", "status": "confirmed"}, []),
    ],
)
async def test_a_list_is_narrowed(
    client: AsyncClient, session: AsyncSession, query: dict[str, str], found: list[str]
) -> None:
    await registrant(session, "Ada", created_at=NOON, webinar_title="Other")
    await registrant(session, "Grace", created_at=NOON + timedelta(1), status="confirmed")
    await registrant(session, "Hidden", status="confirmed", group="support", webinar_title="Other")
    assert await names(client, await headers_of(session, "sales"), **query) == found


async def test_pages_follow_each_other(client: AsyncClient, session: AsyncSession) -> None:
    for number in range(5):
        await registrant(session, f"{number}", created_at=NOON, group="support" if number == 2 else None)
    headers = await headers_of(session, "sales")
    seen: list[str] = []
    query = {"limit": "3"}
    while True:
        page = (await client.get(API, params=query, headers=headers)).json()
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == ["0", "1", "3", "4"]


@pytest.mark.parametrize("query", ["status=gone", "limit=0", "cursor=zzz", "q=%00", f"q={'x' * 201}"])
async def test_a_wrong_query_is_refused(client: AsyncClient, session: AsyncSession, query: str) -> None:
    response = await client.get(f"{API}?{query}", headers=await headers_of(session, "staff"))
    assert response.status_code == 422


async def test_who_changed_what_is_recorded(client: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    await client.patch(f"{API}/{row.id}", json={"notes": "Called."}, headers=await headers_of(session, "sales"))
    log = await session.scalar(select(AuditLog).where(AuditLog.record_id == str(row.id), AuditLog.action == "update"))
    assert log is not None
    assert log.changes is not None
    assert log.changes["notes"] == [None, "Called."]
    assert (log.actor or "").startswith("sales-")


async def test_staff_delete_a_registrant(client: AsyncClient, session: AsyncSession) -> None:
    row = await registrant(session)
    headers = await headers_of(session, "staff")
    assert (await client.delete(f"{API}/{row.id}", headers=headers)).status_code == 204
    assert (await client.get(f"{API}/{row.id}", headers=headers)).status_code == 404
