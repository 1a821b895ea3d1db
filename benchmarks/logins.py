"""How long /health takes while twenty people log in, against a quiet service, and against hashing on the event loop."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from alembic import command
from httpx import ASGITransport, AsyncClient

from app.db.migrations import revisions
from app.db.session import Database
from app.features.users import passwords, service
from app.main import create_app
from app.settings import Settings

LOGINS, PROBES = 20, 200
PASSWORD = "correct horse battery staple"


async def slowest_probe(client: AsyncClient, meanwhile: Callable[[], Awaitable[object]]) -> float:
    """Seconds: the longest answer of /health, of many one after the other, from when the rest began."""
    busy = asyncio.ensure_future(meanwhile())
    waits = []
    for _ in range(PROBES):
        arrives = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)  # it arrives while the loop may be busy
        assert (await client.get("/health")).status_code == 200
        waits.append(time.perf_counter() - arrives)
    await busy
    return max(waits)


async def on_the_loop(password: str, hashed_password: str) -> tuple[bool, str | None]:
    return passwords.hasher.verify_and_update(password, hashed_password)


async def main(settings: Settings) -> None:
    database = Database.open(settings)
    people = [f"{number}@example.com" for number in range(LOGINS)]
    for email in people:
        await service.create(database, email, PASSWORD)
    app = create_app(settings)
    app.state.database = database

    async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:

        async def log_in(email: str) -> None:
            answer = await client.post("/api/auth/token", data={"username": email, "password": PASSWORD})
            assert answer.status_code == 200, answer.text

        async def everybody() -> None:
            await asyncio.gather(*(log_in(email) for email in people))

        await slowest_probe(client, everybody)  # what is only done once
        quiet = await slowest_probe(client, lambda: asyncio.sleep(0))
        beside = await slowest_probe(client, everybody)
        passwords.verified = on_the_loop  # what is compared with
        within = await slowest_probe(client, everybody)
    await database.close()
    print(f"slowest of {PROBES} while {LOGINS} log in, against a quiet service ({quiet * 1000:.1f} ms):")
    print(f"{beside / quiet:.0f} times; hashing on the loop instead: {within / quiet:.0f} times")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        where = Settings(_env_file=None, database_url=f"sqlite:///{Path(folder) / 'app.db'}")
        config = revisions.config()
        config.attributes["settings"] = where
        command.upgrade(config, "head")
        asyncio.run(main(where))
