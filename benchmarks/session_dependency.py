"""What ``session: Session`` costs, against ``async with database.transaction()`` in the handler."""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

from fastapi import FastAPI, Request
from sqlalchemy import text
from starlette.types import Message

from app.db.session import Database
from app.http.dependencies import Session
from app.settings import Settings

ROUNDS, REQUESTS = 15, 300

app = FastAPI()


@app.get("/dependency")
async def by_dependency(session: Session) -> int:
    return int(await session.scalar(text("SELECT 1")) or 0)


@app.get("/context")
async def by_context(request: Request) -> int:
    async with request.app.state.database.transaction(read_only=True) as session:
        return int(await session.scalar(text("SELECT 1")) or 0)


async def request(path: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "app": app}

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    await app(scope, receive, send)


async def cpu_seconds(path: str) -> float:
    started = time.process_time()
    for _ in range(REQUESTS):
        await request(path)
    return time.process_time() - started


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'benchmark.db'}"
        app.state.database = Database.open(Settings(_env_file=None, database_url=url))
        ratios = [await cpu_seconds("/dependency") / await cpu_seconds("/context") for _ in range(ROUNDS)]
        await app.state.database.close()
    print(f"dependency / context manager: {median(ratios):.2f} times the CPU ({min(ratios):.2f} to {max(ratios):.2f})")


asyncio.run(main())
