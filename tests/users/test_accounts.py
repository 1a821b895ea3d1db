"""An account's life, through the API."""

import re
import time
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from people import PASSWORD, headers_of, person, token_of
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.features.users import tokens
from app.features.users.models import LastSuperuser, User, UserSession
from app.settings import Settings

NEW_PASSWORD = "a brand new passphrase"


async def log_in(client: AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    answer = await client.post("/api/auth/token", data={"username": email, "password": password})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def link_in(text: str) -> str:
    [token] = re.findall(r"token=(\S+)", text)
    return str(token)


async def test_register_log_in_look_and_log_out(client: AsyncClient) -> None:
    wanted = {"email": " Ada@Example.com", "password": PASSWORD}
    assert (await client.post("/api/auth/register", json=wanted)).status_code == 422  # a blank is no address
    assert (await client.post("/api/auth/register", json=wanted | {"email": "Ada@Example.com"})).status_code == 202
    headers = await log_in(client, "ADA@example.com")

    me = (await client.get("/api/me", headers=headers)).json()
    assert me["email"] == "ada@example.com"
    assert not any([me["is_staff"], me["is_superuser"], me["is_verified"]])
    assert not any("password" in key for key in me)

    assert (await client.delete("/api/auth/token", headers=headers)).status_code == 204
    assert (await client.get("/api/me", headers=headers)).status_code == 401


async def test_registering_a_taken_address_tells_its_owner_only(
    client: AsyncClient, session: AsyncSession, capsys: pytest.CaptureFixture[str]
) -> None:
    user = await person(session)
    free = await client.post("/api/auth/register", json={"email": "free@example.com", "password": PASSWORD})
    assert "Confirm your address" in capsys.readouterr().out
    taken = await client.post("/api/auth/register", json={"email": user.email, "password": PASSWORD})
    assert "You have an account" in capsys.readouterr().out
    assert (taken.status_code, taken.json()) == (free.status_code, free.json())


async def test_who_fails_to_log_in_learns_nothing(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    gone = await person(session, is_active=False)
    answers = [
        await client.post("/api/auth/token", data={"username": email, "password": password})
        for email, password in [(user.email, "wrong"), ("nobody@example.com", PASSWORD), (gone.email, PASSWORD)]
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_a_verified_address(
    client: AsyncClient, session: AsyncSession, capsys: pytest.CaptureFixture[str]
) -> None:
    user = await person(session)
    headers = {"Authorization": f"Bearer {await token_of(session, user)}"}
    assert (await client.post("/api/auth/verify/request", headers=headers)).status_code == 202
    token = link_in(capsys.readouterr().out)

    assert (await client.post("/api/auth/verify", json={"token": token + "x"})).status_code == 404
    assert (await client.post("/api/auth/verify", json={"token": token})).status_code == 204
    assert (await client.post("/api/auth/verify", json={"token": token})).status_code == 404, "it works once"
    assert (await client.get("/api/me", headers=headers)).json()["is_verified"] is True


async def test_a_forgotten_password(
    client: AsyncClient, session: AsyncSession, capsys: pytest.CaptureFixture[str]
) -> None:
    user = await person(session)
    headers = {"Authorization": f"Bearer {await token_of(session, user)}"}
    known = await client.post("/api/auth/reset/request", json={"email": user.email})
    token = link_in(capsys.readouterr().out)
    unknown = await client.post("/api/auth/reset/request", json={"email": "nobody@example.com"})
    assert capsys.readouterr().out == ""
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (202, known.json())

    wanted = {"token": token, "password": NEW_PASSWORD}
    assert (await client.post("/api/auth/reset", json=wanted | {"password": "short"})).status_code == 422
    assert (await client.post("/api/auth/reset", json=wanted)).status_code == 204
    assert (await client.post("/api/auth/reset", json=wanted)).status_code == 404, "it works once"
    assert (await client.get("/api/me", headers=headers)).status_code == 401
    await log_in(client, user.email, NEW_PASSWORD)


def test_a_link_expires_and_is_bound_to_its_purpose(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.link_token(settings, "reset", "subject", "state")
    assert tokens.is_valid(token, settings, "reset", "state")
    assert not tokens.is_valid(token, settings, "verify", "state")
    assert not tokens.is_valid(token, settings, "reset", "another state")
    assert not tokens.is_valid(token.replace("subject", "another"), settings, "reset", "state")
    late = time.time() + tokens.LINK_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: late)
    assert not tokens.is_valid(token, settings, "reset", "state")


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", f"x.{'9' * 250}.y", "x.٣.y", "é.1.é", "0" * 300])
async def test_a_link_that_is_none(client: AsyncClient, token: str) -> None:
    assert (await client.post("/api/auth/verify", json={"token": token})).status_code == 404


async def test_a_new_password_ends_every_session(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    devices = [{"Authorization": f"Bearer {await token_of(session, user)}"} for _ in range(3)]
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

    wrong = await client.post("/api/me/password", json=change | {"current_password": "x"}, headers=devices[0])
    assert wrong.status_code == 403
    assert (await client.post("/api/me/password", json=change, headers=devices[0])).status_code == 204
    assert [(await client.get("/api/me", headers=each)).status_code for each in devices] == [401] * 3
    await log_in(client, user.email, NEW_PASSWORD)


async def test_a_deactivation_ends_every_session_for_good(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    headers = {"Authorization": f"Bearer {await token_of(session, user)}"}
    assert (await client.post("/api/me/deactivate", json={"password": "x"}, headers=headers)).status_code == 403
    answer = await client.post("/api/me/deactivate", json={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 204
    assert (await client.get("/api/me", headers=headers)).status_code == 401

    boss = await headers_of(session, "superuser")
    again = await client.patch(f"/api/users/{user.id}", json={"is_active": True}, headers=boss)
    assert again.json()["is_active"] is True
    assert (await client.get("/api/me", headers=headers)).status_code == 401, "the old token stays dead"


async def test_sessions_are_listed_and_ended_one_by_one(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    stranger = await headers_of(session, "superuser")
    await log_in(client, user.email)
    headers = {"Authorization": f"Bearer {await token_of(session, user)}"}
    listed = (await client.get("/api/me/sessions", headers=headers)).json()
    assert len(listed) == 2
    assert listed[0].keys() == {"id", "created_at", "expires_at", "ip_address", "user_agent"}

    one = f"/api/me/sessions/{listed[1]['id']}"
    assert (await client.delete(one, headers=stranger)).status_code == 404, "not even a superuser's"
    assert (await client.delete(one, headers=headers)).status_code == 204
    assert len((await client.get("/api/me/sessions", headers=headers)).json()) == 1


async def test_an_expired_session_is_none_and_is_swept_away(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    headers = {"Authorization": f"Bearer {await token_of(session, user)}"}
    row = await session.scalar(select(UserSession).where(UserSession.user_id == user.id))
    assert row
    row.expires_at = utc_now() - timedelta(seconds=1)
    await session.flush()
    assert (await client.get("/api/me", headers=headers)).status_code == 401
    await log_in(client, user.email)
    assert await session.scalar(select(func.count()).where(UserSession.user_id == user.id)) == 1


async def test_the_last_superuser_stays(client: AsyncClient, session: AsyncSession) -> None:
    boss = await person(session, "superuser")
    headers = {"Authorization": f"Bearer {await token_of(session, boss)}"}
    for change in ({"is_superuser": False}, {"is_active": False}):
        assert (await client.patch(f"/api/users/{boss.id}", json=change, headers=headers)).status_code == 409
    with pytest.raises(LastSuperuser):
        async with session.begin_nested():
            await session.delete(boss)
    await person(session, "superuser")
    answer = await client.patch(f"/api/users/{boss.id}", json={"is_superuser": False}, headers=headers)
    assert answer.status_code == 200
    assert (await client.get("/api/users", headers=headers)).status_code == 403, "it holds at once"


async def test_what_an_update_leaves_out_stays(client: AsyncClient, session: AsyncSession) -> None:
    boss = await headers_of(session, "superuser")
    user = await person(session, "sales")
    for change, status in [({"is_staff": True}, 200), ({"group": "kings"}, 422), ({"is_staff": None}, 422)]:
        answer = await client.patch(f"/api/users/{user.id}", json=change, headers=boss)
        assert answer.status_code == status, answer.text
    found = (await client.get(f"/api/users/{user.id}", headers=boss)).json()
    assert (found["group"], found["is_staff"], found["is_active"]) == ("sales", True, True)
    assert (await client.patch(f"/api/users/{user.id}", json={"group": None}, headers=boss)).json()["group"] is None


async def test_ten_tries_and_then_a_pause(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    wrong = {"username": user.email, "password": "wrong"}
    codes = [(await client.post("/api/auth/token", data=wrong)).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    refused = await client.post("/api/auth/token", data={"username": user.email, "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    other = await person(session)
    await log_in(client, other.email)


async def test_the_right_password_forgets_the_wrong_ones(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    for _ in range(3):
        for _ in range(8):
            await client.post("/api/auth/token", data={"username": user.email, "password": "wrong"})
        await log_in(client, user.email)


async def test_a_closed_service(client: AsyncClient, app: FastAPI, settings: Settings) -> None:
    app.state.settings = settings.model_copy(update={"registration_open": False})
    wanted = {"email": "ada@example.com", "password": PASSWORD}
    assert (await client.post("/api/auth/register", json=wanted)).status_code == 403


async def test_the_stored_token_is_a_hash(client: AsyncClient, session: AsyncSession) -> None:
    user = await person(session)
    token = (await log_in(client, user.email))["Authorization"].removeprefix("Bearer ")
    stored = await session.scalar(select(UserSession.token_hash).where(UserSession.user_id == user.id))
    assert stored == tokens.hash_of(token) != token
    stolen = await client.get("/api/me", headers={"Authorization": f"Bearer {stored}"})
    assert stolen.status_code == 401


async def test_hashes_of_older_parameters_are_renewed(client: AsyncClient, session: AsyncSession) -> None:
    older = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192),))
    user = await person(session, hashed_password=older.hash(PASSWORD))
    before = user.hashed_password
    await log_in(client, user.email)
    after = await session.scalar(
        select(User.hashed_password).where(User.id == user.id), execution_options={"populate_existing": True}
    )
    assert after != before
    await log_in(client, user.email)
