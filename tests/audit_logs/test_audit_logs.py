"""Every change writes its row, in its own transaction, whoever makes it."""

import re
from typing import Any

import pytest
from httpx import AsyncClient
from people import PASSWORD, headers_of, person, token_of
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import changes
from app.db.base import Base
from app.db.changes import Unrecorded
from app.db.session import Database
from app.features import modules
from app.features.audit_logs.models import AuditLog, AuditLogIsFinal
from app.features.users.models import User, UserSession
from app.observe.context import Actor, actor

modules("models")


async def rows(session: AsyncSession, **wanted: object) -> list[AuditLog]:
    found = await session.scalars(select(AuditLog).filter_by(**wanted).order_by(AuditLog.timestamp))
    return list(found)


async def test_a_row_tells_what_changed_and_who_did_it(client: AsyncClient, session: AsyncSession) -> None:
    boss = await person(session, "superuser")
    user = await person(session, "sales")
    headers = {"Authorization": f"Bearer {await token_of(session, boss)}", "User-Agent": "a test"}
    answer = await client.patch(f"/api/users/{user.id}", json={"group": "support"}, headers=headers)

    [row] = await rows(session, action="update", record_id=str(user.id))
    assert row.changes == {"group": ["sales", "support"]}
    assert (row.model_name, row.user_id, row.actor) == ("User", boss.id, boss.email)
    assert (row.user_agent, row.request_id) == ("a test", answer.headers["X-Request-ID"])
    assert row.ip_address == "127.0.0.1"


async def test_create_and_delete_are_told_with_all_fields(session: AsyncSession) -> None:
    user = await person(session, "sales")
    [created] = await rows(session, action="create", record_id=str(user.id))
    assert created.changes
    assert created.changes["email"] == [None, user.email]
    await session.delete(user)
    await session.flush()
    [deleted] = await rows(session, action="delete", record_id=str(user.id))
    assert deleted.changes
    assert deleted.changes["email"] == [user.email, None]


async def test_rows_that_go_with_their_parent_are_told_too(session: AsyncSession) -> None:
    user = await person(session)
    await token_of(session, user)
    await session.delete(user)
    await session.flush()
    [row] = await rows(session, action="delete", model_name="UserSession")
    assert row.changes
    assert row.changes["user_id"][0] == str(user.id)


async def test_secrets_are_masked(client: AsyncClient, session: AsyncSession) -> None:
    await client.post("/api/auth/register", json={"email": "ada@example.com", "password": PASSWORD})
    await client.post("/api/auth/token", data={"username": "ada@example.com", "password": PASSWORD})
    found = await rows(session)
    assert {row.model_name for row in found} == {"User", "UserSession"}
    text = "".join(str(row.changes) for row in found)
    assert "argon2" not in text
    assert PASSWORD not in text
    hashes = set(await session.scalars(select(UserSession.token_hash)))
    assert not any(token_hash in text for token_hash in hashes)


def test_every_secret_column_has_a_name_that_is_masked() -> None:
    """Whoever adds one finds out here."""
    columns = {column.key for mapper in Base.registry.mappers for column in mapper.columns}
    suspicious = {name for name in columns if re.search("hash|pass|token|secret|key$", name)}
    assert suspicious >= {"hashed_password", "token_hash"}
    assert all(changes.SECRET.search(name) for name in suspicious)


async def test_a_change_that_is_taken_back_leaves_no_row(own_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with own_database.transaction() as session:
            await person(session)
            raise ZeroDivisionError
    async with own_database.transaction(read_only=True) as session:
        assert await rows(session) == []


BULK: list[Any] = [  # Any: statements of several kinds
    update(User).values(group="sales"),
    delete(User),
    insert(User).values(email="x@example.com", hashed_password="x"),
    User.__table__.update().values(group="sales"),  # type: ignore[attr-defined] # a Table
]


@pytest.mark.parametrize("statement", BULK, ids=str)
async def test_a_bulk_statement_needs_a_reason_which_is_recorded(session: AsyncSession, statement: Any) -> None:
    await person(session)
    with pytest.raises(Unrecorded):
        await session.execute(statement)
    await session.execute(statement.execution_options(audit="spring cleaning"))
    [row] = await rows(session, action="bulk")
    assert (row.model_name, row.changes) == ("User", {"why": [None, "spring cleaning"], "rows": [None, 1]})


async def test_the_old_bulk_methods_are_refused(session: AsyncSession) -> None:
    for method in ("bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"):
        with pytest.raises(Unrecorded):
            getattr(session.sync_session, method)(User, [])


async def test_without_a_recorder_nothing_is_written(own_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_recorders", [])
    with pytest.raises(Unrecorded):
        async with own_database.transaction() as session:
            await person(session)
    async with own_database.transaction(read_only=True) as session:
        assert (await session.scalars(select(User))).all() == []


async def test_the_log_itself_stays_as_it_is(own_database: Database) -> None:
    async with own_database.transaction() as session:
        await person(session)
    for spoil in (lambda row: setattr(row, "action", "nothing"), None):
        with pytest.raises(AuditLogIsFinal):
            async with own_database.transaction() as session:
                [row] = await rows(session)
                if spoil:
                    spoil(row)
                else:
                    await session.delete(row)
    with pytest.raises(AuditLogIsFinal):
        async with own_database.transaction() as session:
            session.add(AuditLog(action="create", model_name="Lie"))
    with pytest.raises(AuditLogIsFinal):
        async with own_database.transaction() as session:
            await session.execute(delete(AuditLog).execution_options(audit="nobody will know"))
    async with own_database.transaction(read_only=True) as session:
        assert [row.action for row in await rows(session)] == ["create"]


async def test_a_row_outlives_its_user(session: AsyncSession) -> None:
    user = await person(session)
    token = actor.set(Actor("ada@example.com", user.id))
    try:
        await person(session)
        await session.delete(user)  # her last deed, which cannot point to her
        await session.flush()
    finally:
        actor.reset(token)
    found = await rows(session, actor="ada@example.com")
    assert [row.action for row in found] == ["create", "delete"]
    await session.refresh(found[0])
    assert [row.user_id for row in found] == [None, None]


async def test_the_log_is_read_by_superusers_in_pages(client: AsyncClient, session: AsyncSession) -> None:
    boss = await headers_of(session, "superuser")
    for _ in range(5):
        await person(session)
    seen: list[dict[str, str]] = []
    cursor = ""
    while True:
        query = {"model_name": "User", "action": "create", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/audit-logs", params=query, headers=boss)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len({row["id"] for row in seen}) == 6
    assert (await client.get("/api/audit-logs", headers=await headers_of(session, "staff"))).status_code == 403
