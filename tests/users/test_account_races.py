"""What happens to an account at the same moment from two sides."""

import asyncio

import pytest
from fastapi import BackgroundTasks
from people import PASSWORD
from pydantic import SecretStr
from sqlalchemy import select

from app.db.session import Database
from app.features.users import service, sessions
from app.features.users.models import User
from app.features.users.resources import Resources
from app.features.users.schemas import PasswordChange, UserUpdate
from app.http.throttle import Throttle
from app.observe.context import Actor, actor
from app.settings import Settings


@pytest.fixture
def held(own_database: Database, own_settings: Settings) -> Resources:
    return Resources(own_database, own_settings, Throttle(own_settings), BackgroundTasks())


@pytest.fixture
async def user(own_database: Database) -> User:
    return await service.create(own_database, "ada@example.com", PASSWORD)


async def test_of_two_new_passwords_the_second_is_refused(held: Resources, user: User) -> None:
    """Its old one is not the old one any more."""
    changes = [
        PasswordChange(current_password=SecretStr(PASSWORD), new_password=SecretStr(f"another passphrase {number}"))
        for number in range(3)
    ]
    ended = await asyncio.gather(
        *(service.change_password(held, user, each) for each in changes), return_exceptions=True
    )
    assert sum(isinstance(each, User) for each in ended) == 1
    assert sum(isinstance(each, service.WrongPassword) for each in ended) == 2


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")  # SQLite has one writer
async def test_a_login_with_the_old_password_does_not_slip_past_the_new_one(held: Resources, user: User) -> None:
    who = actor.set(Actor("somebody"))  # whom a login gives a name
    try:
        async with held.database.transaction() as session:
            await session.execute(select(User).where(User.id == user.id).with_for_update())
            login = asyncio.create_task(sessions.start(held, user))
            await asyncio.sleep(0.2)  # it waits for the row
            change = asyncio.create_task(service.set_password(held.database, user.id, SecretStr("another passphrase")))
            await asyncio.sleep(0.6)
        await asyncio.gather(login, change, return_exceptions=True)
    finally:
        actor.reset(who)
    async with held.database.transaction() as session:
        assert await sessions.list_of(session, user.id) == []


async def test_two_superusers_who_are_deactivated_at_once_do_not_wait_for_each_other(held: Resources) -> None:
    users = [await service.create(held.database, f"{name}@example.com", PASSWORD, is_superuser=True) for name in "abc"]
    ready = asyncio.Barrier(2) if not held.settings.database.is_sqlite else None

    async def deactivate(user: User) -> None:
        async with held.database.transaction() as session:
            found = await service.get(session, user.id)
            if ready:  # SQLite has one writer
                await ready.wait()
            await service.update(session, found, UserUpdate(is_active=False))

    for _ in range(5):
        await asyncio.gather(*(deactivate(user) for user in users[:2]))
        for user in users[:2]:
            async with held.database.transaction() as session:
                (await service.get(session, user.id)).is_active = True
