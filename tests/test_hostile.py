"""What nobody means well with: no 500, nothing stored, nothing executed. Uploads have a list of their own."""

import json

import pytest
from httpx import AsyncClient
from people import PASSWORD, headers_of, person
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.audit_logs.models import AuditLog

DEEP = "[" * 100_000 + "]" * 100_000
BODIES: list[str | bytes] = [
    "", "null", "[]", "0", '"x"', "{", DEEP, '{"a":' * 50_000 + "1" + "}" * 50_000,
    '{"email": "a@example.com\\u0000", "password": "correct horse battery"}',
    '{"email": "a@example.com", "password": "\\ud800 correct horse battery"}',
    '{"email": "a@example.com", "password": NaN}', '{"email": NaN, "password": Infinity}',
    '{"email": 1e400, "password": -1e400}', '{"email": ' + "9" * 5_000 + ', "password": 1}',
    '{"email": ["a@example.com"], "password": {"a": "correct horse battery"}}',
    '{"email": "a@example.com", "password": "' + "x" * 100_000 + '"}',
    '{"email": "' + "a" * 300 + '@example.com", "password": "correct horse battery"}',
    b"\xff\xfe{}", b"\x00" * 1000,
]  # fmt: skip


async def changes(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(AuditLog)) or 0


@pytest.mark.parametrize("path", ["/api/auth/register", "/api/auth/reset", "/api/auth/verify"])
async def test_a_body_that_is_none_is_refused(client: AsyncClient, session: AsyncSession, path: str) -> None:
    before = await changes(session)
    for body in BODIES:
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 413, 422), body[:60]
        assert answer.headers["content-type"] == "application/problem+json"
    assert await changes(session) == before


@pytest.mark.parametrize("path", ["/api/users/{}", "/api/me/sessions/{}", "/api/users/{}/x", "/static/{}", "/{}"])
async def test_a_path_that_leads_nowhere_is_refused(client: AsyncClient, session: AsyncSession, path: str) -> None:
    headers = await headers_of(session, "superuser")
    for part in ("%00", "9" * 400, "..%2f..%2f.env", "%2e%2e/%2e%2e/.env", "%ED%A0%80", "<script>", "💥", "a" * 5_000):
        for method in ("GET", "PATCH", "DELETE"):
            answer = await client.request(method, path.format(part), headers=headers)
            assert 400 <= answer.status_code < 500, f"{method} {part[:20]}: {answer.status_code}"
            assert "SECRET_KEY" not in answer.text


@pytest.mark.parametrize("path", ["/api/users", "/api/audit-logs"])
async def test_a_query_that_is_none_is_refused(client: AsyncClient, session: AsyncSession, path: str) -> None:
    headers = await headers_of(session, "superuser")
    queries = [
        "limit=-1", "limit=1e9", f"limit={'9' * 5000}", "limit=NaN", "limit=", "cursor=%00", "cursor=9-f",
        f"cursor={'9' * 17}-{'f' * 33}", "cursor=%ED%A0%80",
    ]  # fmt: skip
    for query in queries:
        assert (await client.get(f"{path}?{query}", headers=headers)).status_code == 422, query[:40]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "text/html", ""],
)
async def test_a_form_that_is_none_is_refused(browser: AsyncClient, session: AsyncSession, content_type: str) -> None:
    user = await person(session)
    before = await changes(session)
    bodies = [
        b"", b"\xff" * 100, b"email=%00&password=%00", b"email=%ED%A0%80", b"&" * 5_000, b"a=b&" * 5_000, b"--x",
        b'--x\r\nContent-Disposition: form-data; name="email"; filename="x"\r\n\r\nx\r\n--x--',
    ]  # fmt: skip
    for path in ("/login", "/register", "/reset", "/account/password", "/first-superuser"):
        for body in bodies:
            answer = await browser.post(path, content=body, headers={"Content-Type": content_type})
            assert answer.status_code in (303, 400, 413, 415, 422), f"{path} {body[:30]!r}: {answer.status_code}"
            assert not (answer.status_code == 303 and path != "/account/password")
    assert await changes(session) == before
    assert user.email not in (await browser.get("/login")).text


@pytest.mark.parametrize("header", ["Authorization", "Cookie", "Accept", "X-Request-ID", "Origin", "HX-Request"])
async def test_a_header_that_is_none_hurts_nobody(browser: AsyncClient, header: str) -> None:
    for value in (b"\xff\xfe", b"Bearer ", b"Bearer \xff", b"Bearer " + b"x" * 20_000, b"session=\xe9", b"%00"):
        for path in ("/", "/account", "/api/me"):
            answer = await browser.get(path, headers={header.encode(): value})
            assert answer.status_code < 500, f"{value[:20]!r} {path}"


async def test_numbers_too_large_for_json_are_no_answer(client: AsyncClient, session: AsyncSession) -> None:
    headers = await headers_of(session, "superuser") | {"Content-Type": "application/json"}
    user = await person(session)
    for value in ("1e400", "9" * 400, "NaN", '"\\ud800"', "{}", "1"):
        body = f'{{"is_staff": {value}}}'
        answer = await client.patch(f"/api/users/{user.id}", content=body, headers=headers)
        assert answer.status_code == 422, value[:20]
        json.loads(answer.text)
    assert PASSWORD not in answer.text
