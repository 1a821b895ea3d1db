"""Accounts as a browser sees them: cookies, forms, and what another site may not do."""

import re
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from people import PASSWORD, person, token_of
from queries import counted
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.features.users import service
from app.features.users.models import User, UserSession
from app.settings import Settings

NEW_PASSWORD = "a brand new passphrase"


def link_in(text: str) -> str:
    [path] = re.findall(r"http://127\.0\.0\.1:8000(/\S+token=\S+)", text)
    return str(path)


async def log_in(browser: AsyncClient, user: User, password: str = PASSWORD, path: str = "/login") -> str:
    answer = await browser.post(path, data={"email": user.email, "password": password})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_from_registration_to_log_out(browser: AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer = await browser.post("/register", data={"email": "ada@example.com", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Look into your mailbox." in (await browser.get("/login")).text
    letter = link_in(capsys.readouterr().out)

    answer = await browser.post("/login", data={"email": "ada@example.com", "password": PASSWORD})
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("session="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    account = (await browser.get("/account")).text
    assert "ada@example.com" in account
    assert "not confirmed" in account

    token = letter.partition("token=")[2]
    assert token in (await browser.get(letter)).text, "a mail program may look at it"
    assert (await browser.post("/verify", data={"token": token})).status_code == 303
    assert (await browser.post("/verify", data={"token": token})).status_code == 422
    assert "not confirmed" not in (await browser.get("/account")).text

    assert (await browser.post("/logout")).status_code == 303
    assert (await browser.get("/account")).headers["location"] == "/login?next=/account"


async def test_next_leads_back_and_nowhere_else(browser: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    assert await log_in(browser, user, path="/login?next=/account%3Fa%3D1") == "/account?a=1"
    assert (await browser.get("/login?next=/account")).headers["location"] == "/account"
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert await log_in(browser, user, path=f"/login?next={evil}") == "/"


async def test_what_was_wrong_is_not_told(browser: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    known = await browser.post("/login", data={"email": user.email, "password": "wrong"})
    unknown = await browser.post("/login", data={"email": "nobody@example.com", "password": "wrong"})
    assert known.status_code == unknown.status_code == 422
    assert known.text.replace(user.email, "") == unknown.text.replace("nobody@example.com", "")
    assert "session" not in known.cookies


async def test_a_forgotten_password(
    browser: AsyncClient, session: AsyncSession, capsys: pytest.CaptureFixture[str]
) -> None:
    user = await person(session)
    await browser.post("/reset", data={"email": user.email})
    token = link_in(capsys.readouterr().out).partition("token=")[2]
    assert (await browser.get(f"/reset/choose?token={token}")).status_code == 200
    answer = await browser.post("/reset/choose", data={"token": token, "password": "short"})
    assert answer.status_code == 422
    assert token in answer.text, "what was right is not typed again"
    assert (await browser.post("/reset/choose", data={"token": token, "password": NEW_PASSWORD})).status_code == 303
    assert (await browser.post("/reset/choose", data={"token": token, "password": NEW_PASSWORD})).status_code == 422
    await log_in(browser, user, NEW_PASSWORD)


async def test_a_new_password_keeps_this_browser_only(
    browser: AsyncClient, client: AsyncClient, session: AsyncSession
) -> None:
    user = await person(session)
    elsewhere = {"Authorization": f"Bearer {await token_of(session, user)}"}
    await log_in(browser, user)
    wrong = {"current_password": "wrong", "new_password": NEW_PASSWORD}
    assert "That is not your password." in (await browser.post("/account/password", data=wrong)).text
    right = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await browser.post("/account/password", data=right)).status_code == 303
    assert (await browser.get("/account")).status_code == 200
    assert (await client.get("/api/me", headers=elsewhere)).status_code == 401


async def test_one_session_is_ended(browser: AsyncClient, client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    elsewhere = {"Authorization": f"Bearer {await token_of(session, user)}"}
    await log_in(browser, user)
    [path] = re.findall(r"/account/sessions/[^/]+/end", (await browser.get("/account")).text)
    assert (await browser.post(path)).status_code == 303
    assert (await client.get("/api/me", headers=elsewhere)).status_code == 401
    assert (await browser.get("/account")).status_code == 200


async def test_leaving(browser: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    await log_in(browser, user)
    assert (await browser.post("/account/deactivate", data={"password": "wrong"})).status_code == 422
    assert (await browser.post("/account/deactivate", data={"password": PASSWORD})).status_code == 303
    assert (await browser.get("/account")).status_code == 303
    assert (await browser.post("/login", data={"email": user.email, "password": PASSWORD})).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
        {"Origin": ""},
    ],
)
async def test_another_site_changes_nothing(
    browser: AsyncClient, session: AsyncSession, headers: dict[str, str]
) -> None:
    user = await person(session)
    await log_in(browser, user)
    answer = await browser.post("/account/deactivate", data={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "comes from another site" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert (await browser.get("/account")).status_code == 200


async def test_another_site_logs_nobody_in(browser: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    headers = {"Origin": "https://evil.example"}
    answer = await browser.post("/login", data={"email": user.email, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "session" not in answer.cookies


async def test_the_link_for_the_first_superuser_works_once(
    browser: AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    token = await service.first_superuser_link(session, settings)
    assert token
    assert (await browser.get(f"/first-superuser?token={token}")).status_code == 200
    wanted = {"token": token, "email": "ada@example.com", "password": PASSWORD}
    assert (await browser.post("/first-superuser", data=wanted | {"token": "x.1.y"})).status_code == 422
    assert (await browser.post("/first-superuser", data=wanted)).status_code == 303
    again = await browser.post("/first-superuser", data=wanted | {"email": "eve@example.com"})
    assert again.status_code == 422
    assert await service.first_superuser_link(session, settings) is None
    assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_in_production_the_cookie_is_bound_to_host_and_tls(
    app: FastAPI, browser: AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    app.state.settings = settings.model_copy(update={"environment": "production"})
    user = await person(session)
    answer = await browser.post("/login", data={"email": user.email, "password": PASSWORD})
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "session=" in each)
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))


async def test_no_page_holds_a_password(browser: AsyncClient, session: AsyncSession) -> None:
    canary = "canary-passphrase-4711"
    user = await person(session)
    await log_in(browser, user)
    for path, data in [
        ("/login", {"email": "x", "password": canary}),
        ("/register", {"email": "x", "password": canary}),
        ("/reset/choose", {"token": "x", "password": canary}),
        ("/first-superuser", {"token": "x", "email": "x", "password": canary}),
        ("/account/password", {"current_password": canary, "new_password": canary}),
        ("/account/deactivate", {"password": canary}),
    ]:
        answer = await browser.post(path, data=data)
        assert answer.status_code == 422, path
        assert canary not in unquote(answer.text)


async def test_a_page_costs_little(browser: AsyncClient, session: AsyncSession, engine: AsyncEngine) -> None:
    user = await person(session)
    await log_in(browser, user)
    for path, most in [("/account", 2), ("/login", 1), ("/register", 1), ("/", 3)]:
        with counted(engine) as statements:
            await browser.get(path)
        assert len(statements) <= most, statements


async def test_sessions_that_nobody_has_are_not_looked_for(browser: AsyncClient, engine: AsyncEngine) -> None:
    with counted(engine) as statements:
        await browser.get("/login")
    assert statements == []


async def test_a_session_ends_where_the_row_goes(browser: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    await log_in(browser, user)
    assert await session.scalar(select(func.count()).where(UserSession.user_id == user.id)) == 1
    await browser.post("/logout")
    assert await session.scalar(select(func.count()).where(UserSession.user_id == user.id)) == 0
