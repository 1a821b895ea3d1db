"""/admin, by the models of the core."""

import re
from uuid import uuid4

import pytest
from admins import enter, form_of
from httpx import AsyncClient
from people import HASH, person, token_of
from queries import counted
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.db.base import Base
from app.features.audit_logs.models import AuditLog
from app.features.users import tokens
from app.features.users.models import User, UserSession
from app.http.admin.views import View, all_views
from app.settings import ROOT

HUGE = "9" * 400


async def test_nobody_enters_without_an_account(browser: AsyncClient) -> None:
    answer = await browser.get("/admin/users?page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/admin/users%3Fpage%3D2"


async def test_the_session_of_the_service_is_that_of_the_admin(browser: AsyncClient, session: AsyncSession) -> None:
    user = await enter(browser, session)
    page = (await browser.get("/admin")).text
    assert user.email in page
    assert '<form method="post" action="/logout">' in page


async def test_every_model_is_there(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    page = (await browser.get("/admin")).text
    for mapper in Base.registry.mappers:
        path = f"/admin/{mapper.class_.__tablename__.replace('_', '-')}"
        assert f'href="{path}"' in page
        assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize(("kind", "seen"), [("superuser", True), ("user", False)])
async def test_the_link_is_shown_to_those_who_find_something(
    browser: AsyncClient, session: AsyncSession, kind: str, seen: bool
) -> None:
    await enter(browser, session, kind)
    page = (await browser.get("/")).text
    assert ('<a href="/admin">Admin</a>' in page) is seen
    assert ("nothing here for your account" in (await browser.get("/admin")).text) is not seen


async def test_no_page_needs_an_exception_from_the_policy(browser: AsyncClient, session: AsyncSession) -> None:
    user = await enter(browser, session)
    for path in ("/admin", "/admin/users", f"/admin/users/{user.id}", "/admin/audit-logs", "/admin/users/nothing"):
        answer = await browser.get(path)
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"<style|<script(?! src=)| on\w+=| style=", answer.text)


@pytest.mark.parametrize("path", ["/admin/users", "/admin/sessions", "/admin/audit-logs"])
async def test_a_page_is_small_and_asks_the_database_three_times(
    browser: AsyncClient, session: AsyncSession, engine: AsyncEngine, path: str
) -> None:
    await enter(browser, session)
    for _ in range(60):
        await person(session)
    with counted(engine) as statements:
        html = (await browser.get(path)).text
    assert len(statements) == 3
    files = ("app.css", "vendor/htmx/htmx.min.js")
    assert len(html.encode()) + sum((ROOT / "app/web/static" / name).stat().st_size for name in files) < 100_000


async def test_secrets_are_in_no_answer(browser: AsyncClient, session: AsyncSession) -> None:
    user = await enter(browser, session)
    token_hash = tokens.hash_of(browser.cookies["session"])
    other = await session.scalar(select(UserSession).where(UserSession.token_hash == token_hash))
    assert other is not None
    for path in (
        "/admin/users",
        "/admin/users/export.csv",
        f"/admin/users/{user.id}",
        "/admin/sessions",
        "/admin/sessions/export.csv",
        f"/admin/sessions/{other.id}",
        "/admin/audit-logs/export.csv",
    ):
        answer = await browser.get(path)
        assert answer.status_code == 200
        for secret in (HASH, token_hash, "hashed_password", "token_hash"):
            if "audit" not in path or secret in (HASH, token_hash):  # the log says which field, and a mask
                assert secret not in answer.text, path


@pytest.mark.parametrize(
    "query", ["sort=hashed_password", "sort=-token_hash", "hashed_password=x", "token_hash_from=1"]
)
async def test_secrets_are_no_key_to_sort_or_search_by(browser: AsyncClient, session: AsyncSession, query: str) -> None:
    user = await enter(browser, session)
    assert HASH[20:40] not in (found := await browser.get("/admin/users", params={"q": HASH[20:40]})).text.replace(
        f'value="{HASH[20:40]}"', ""
    )
    assert user.email not in found.text.partition("<main")[2]
    answer = await browser.get(f"/admin/users?{query}")
    assert answer.status_code == (422 if query.startswith("sort") else 200)
    if answer.status_code == 200:
        assert user.email in answer.text.partition("<main")[2]  # not narrowed by it


async def test_what_is_written_has_its_row_in_the_log(browser: AsyncClient, session: AsyncSession) -> None:
    actor = await enter(browser, session)
    user = await person(session)
    path = f"/admin/users/{user.id}"
    answer = await browser.post(path, data=await form_of(browser, path, group="sales", is_staff="true"))
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    await session.refresh(user)
    assert (user.group, user.is_staff, user.is_active) == ("sales", True, True)
    logged = await session.scalar(
        select(AuditLog).where(AuditLog.record_id == str(user.id), AuditLog.action == "update")
    )
    assert logged is not None
    assert (logged.actor, logged.user_id) == (actor.email, actor.id)
    assert set(logged.changes or {}) == {"group", "is_staff"}


async def test_no_form_sets_a_password_or_an_address(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    user = await person(session)
    email, path = user.email, f"/admin/users/{user.id}"
    changed = {"hashed_password": "x", "email": "x@example.com", "id": str(uuid4()), "group": "support"}
    assert (await browser.post(path, data=await form_of(browser, path, **changed))).status_code == 303
    await session.refresh(user)
    assert (user.email, user.hashed_password, user.group) == (email, HASH, "support")
    assert (await browser.get("/admin/users/new")).status_code == 422
    assert (await browser.post("/admin/users/new")).status_code == 422


async def test_a_deactivated_account_has_no_sessions_left(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    user = await person(session)
    await token_of(session, user)
    path = f"/admin/users/{user.id}"
    sent = await form_of(browser, path)
    del sent["is_active"]
    assert (await browser.post(path, data=sent)).status_code == 303
    assert await session.scalar(select(UserSession).where(UserSession.user_id == user.id)) is None


async def test_the_last_superuser_stays(browser: AsyncClient, session: AsyncSession) -> None:
    user = await enter(browser, session)
    path = f"/admin/users/{user.id}"
    sent = await form_of(browser, path)
    del sent["is_superuser"]
    answer = await browser.post(path, data=sent)
    assert answer.status_code == 422
    assert "This is the last superuser" in answer.text
    answer = await browser.post("/admin/users/delete", data={"id": str(user.id), "sure": "yes"})
    assert answer.status_code == 409
    assert "This is the last superuser" in answer.text
    await session.refresh(user)
    assert user.is_superuser


async def test_a_session_that_is_deleted_is_over(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    user = await person(session)
    token = await token_of(session, user)
    found = await session.scalar(select(UserSession).where(UserSession.user_id == user.id))
    assert found is not None
    asked = await browser.post("/admin/sessions/delete", data={"id": str(found.id)})
    assert "Delete this?" in asked.text
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await browser.get("/api/me", headers=bearer)).status_code == 200
    done = await browser.post("/admin/sessions/delete", data={"id": str(found.id), "sure": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, "/admin/sessions")
    assert (await browser.get("/api/me", headers=bearer)).status_code == 401
    deleted = select(AuditLog.action).where(AuditLog.record_id == str(found.id), AuditLog.model_name == "UserSession")
    assert "delete" in (await session.scalars(deleted)).all()


async def test_many_are_deleted_together_or_not_at_all(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    users = [await person(session) for _ in range(3)]
    ids = [str(user.id) for user in users]
    answer = await browser.post("/admin/users/delete", data={"id": [*ids, str(uuid4())], "sure": "yes"})
    assert answer.status_code == 404
    left = select(User.id).where(User.id.in_([user.id for user in users]))
    assert len((await session.scalars(left)).all()) == 3
    assert (await browser.post("/admin/users/delete", data={"id": ids, "sure": "yes"})).status_code == 303
    assert (await session.scalars(left)).all() == []


@pytest.mark.parametrize("path", ["users/delete", "sessions/delete", "users/{id}"])
async def test_another_site_changes_nothing(browser: AsyncClient, session: AsyncSession, path: str) -> None:
    await enter(browser, session)
    user = await person(session)
    headers = {"Origin": "https://evil.example"}
    sent = {"id": str(user.id), "sure": "yes", "is_superuser": "true"}
    assert (await browser.post(f"/admin/{path.format(id=user.id)}", data=sent, headers=headers)).status_code == 403
    await session.refresh(user)
    assert not user.is_superuser


async def test_what_somebody_changed_meanwhile_is_not_overwritten(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    user = await person(session)
    path = f"/admin/users/{user.id}"
    sent = await form_of(browser, path, is_staff="true")
    user.group = "sales"
    await session.flush()
    answer = await browser.post(path, data=sent)
    assert answer.status_code == 422
    assert "Somebody has changed this meanwhile" in answer.text
    await session.refresh(user)
    assert not user.is_staff


async def test_a_list_is_searched_narrowed_sorted_and_paged(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    for number in range(55):
        await person(session, "sales" if number else "marketing", email=f"needle-{number:02}@example.com")

    async def listed(query: str) -> list[str]:
        answer = await browser.get(f"/admin/users?{query}")
        assert answer.status_code == 200
        return re.findall(r'<a href="/admin/users/[^"]*">(\S+?)\s*</a>', answer.text)

    assert len(await listed("q=NEEDLE")) == 50
    assert await listed("q=needle&page=2&sort=email") == [f"needle-{number}@example.com" for number in range(50, 55)]
    assert await listed("q=needle&sort=-email&page=2") == [
        f"needle-{number:02}@example.com" for number in range(4, -1, -1)
    ]
    assert await listed("q=needle&group=marketing") == ["needle-00@example.com"]
    assert await listed("q=needle&is_active=False") == []
    assert await listed("q=needle-%25") == []  # no wildcard
    assert await listed("q=needle-0_") == []
    assert await listed("q=needle&created_at_to=2020-01-01") == []
    assert await listed("q=needle&page=900000") == []


async def test_an_export_holds_what_the_list_is_narrowed_to(browser: AsyncClient, session: AsyncSession) -> None:
    await enter(browser, session)
    await person(session, email="=needle@example.com")
    await person(session)
    answer = await browser.get("/admin/users/export.csv?q=needle")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, row = answer.text.splitlines()
    assert head.startswith("id,email,is_active")
    assert ",'=needle@example.com,True,False" in row  # no formula


@pytest.mark.parametrize(
    "query", [f"page={HUGE}", "page=0", "page=x", "q=%00", f"q={'x' * 300}", "sort=nothing", "is_active=perhaps",
              "created_at_from=0000-99-99", "group=kings", "q=%ED%A0%80"],
)  # fmt: skip
async def test_a_list_refuses_what_it_cannot_be_asked(browser: AsyncClient, session: AsyncSession, query: str) -> None:
    await enter(browser, session)
    for path in ("users", "users/export.csv"):
        answer = await browser.get(f"/admin/{path}?{query}")
        assert answer.status_code == (200 if query == "q=%ED%A0%80" else 422)


async def test_the_edge_of_time_is_a_date_too(browser: AsyncClient, session: AsyncSession) -> None:
    user = await enter(browser, session)
    query = "created_at_from=0001-01-01&created_at_to=9999-12-31"
    assert user.email in (await browser.get(f"/admin/users?{query}")).text.partition("<main")[2]


@pytest.mark.parametrize("name", ["nothing", HUGE, "00000000-0000-4000-8000-000000000000", "%00", "-1"])
async def test_a_row_that_is_not_there_is_said_so(browser: AsyncClient, session: AsyncSession, name: str) -> None:
    await enter(browser, session)
    for answer in (await browser.get(f"/admin/users/{name}"), await browser.post(f"/admin/users/{name}")):
        assert answer.status_code in (404, 422)
        assert "<h1>" in answer.text


@pytest.mark.parametrize("sent", [{}, {"id": "x"}, {"id": "\0"}, {"id": ""}, {"id": HUGE}])
async def test_nothing_is_deleted_by_nonsense(
    browser: AsyncClient, session: AsyncSession, sent: dict[str, str]
) -> None:
    await enter(browser, session)
    assert (await browser.post("/admin/users/delete", data=sent | {"sure": "yes"})).status_code == 422


def test_a_model_without_a_view_is_for_superusers_alone() -> None:
    views = all_views([])
    assert {view.model for view in views} == {mapper.class_ for mapper in Base.registry.mappers}
    assert all(view.readable_by == view.editable_by == () for view in views)
    assert View(User).written[:2] == ("email", "is_active")


def test_no_view_shows_a_secret() -> None:
    names = ("hashed_password", "email")
    for view in (View(User), View(User, columns=names, fields=names, filters=names)):
        for shown in (view.visible, view.listed, view.searched, view.written, view.filtered):
            assert "hashed_password" not in shown
    assert View(UserSession, columns=("token_hash",)).listed == ("id",)
