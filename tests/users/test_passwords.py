"""Hashing keeps nobody waiting who does not log in."""

import asyncio
import threading

import pytest
from httpx import AsyncClient
from people import PASSWORD, person
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.users import passwords


class SlowHasher:
    """Hashes when it is told to, and counts who is inside."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.lock = threading.Lock()
        self.both = threading.Event()
        self.go_on = threading.Event()

    def hash(self, password: str) -> str:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == 2:
                self.both.set()
        assert self.go_on.wait(20)
        with self.lock:
            self.inside -= 1
        return password


async def test_twenty_hashes_are_made_two_at_a_time_beside_the_loop(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowHasher()
    monkeypatch.setattr(passwords, "hasher", slow)
    waiting = [asyncio.create_task(passwords.hashed("x")) for _ in range(20)]
    async with asyncio.timeout(20):
        await asyncio.to_thread(slow.both.wait)
        assert (await client.get("/health")).status_code == 200  # the loop is free while both are at it
        slow.go_on.set()
        await asyncio.gather(*waiting)
    assert slow.most == 2


async def test_an_unknown_user_costs_a_hash_too(
    client: AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same work, so the same time: whoever measures it learns nothing."""
    compared: list[str] = []
    real = passwords.hasher.verify_and_update

    def counting(password: str, hashed_password: str) -> tuple[bool, str | None]:
        compared.append(hashed_password)
        return real(password, hashed_password)

    monkeypatch.setattr(passwords.hasher, "verify_and_update", counting)
    gone = await person(session, is_active=False)
    for email in ((await person(session)).email, gone.email, "nobody@example.com"):
        await client.post("/api/auth/token", data={"username": email, "password": PASSWORD})
    assert len(compared) == 3
    parameters = {hashed_password.split("$")[1:4].__str__() for hashed_password in compared}
    assert len(parameters) == 1, "all of the same cost"
