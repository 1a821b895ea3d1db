"""Databases for tests: made empty or as a copy of another, and dropped."""

import asyncio
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from anyio import to_thread
from sqlalchemy import make_url

from app.db.migrations import revisions
from app.settings import ROOT, Settings


class Databases(Protocol):
    def create(self, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy."""

    def drop(self, url: str) -> None: ...


class SqliteFiles:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, template: str | None = None) -> str:
        path = self.folder / f"{uuid4().hex}.db"
        if template:
            shutil.copyfile(make_url(template).database or "", path)
        return f"sqlite+aiosqlite:///{path}"

    def drop(self, url: str) -> None:
        for path in self.folder.glob(f"{Path(make_url(url).database or '').name}*"):
            path.unlink()


class PostgresqlServer:
    def __init__(self, url: str) -> None:
        self.url = make_url(url)

    def create(self, template: str | None = None) -> str:
        url = self.url.set(database=f"test_{os.getpid()}_{uuid4().hex[:12]}")
        copied = f' TEMPLATE "{make_url(template).database}"' if template else ""
        asyncio.run(self._execute(f'CREATE DATABASE "{url.database}"{copied}'))
        return url.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        asyncio.run(self._execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)'))

    async def _execute(self, sql: str) -> None:
        dsn = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def settings_for(database_url: str, **values: object) -> Settings:
    """Settings of the tests' own: whatever the person at the keyboard has in .env."""
    return Settings(_env_file=None, database_url=database_url, **values)  # type: ignore[arg-type]


def migrate(settings: Settings, revision: str = "head") -> None:
    """Upgrade by Alembic itself, in a loop of its own: from async code, call it in a thread."""
    config = revisions.config()
    config.attributes["settings"] = settings
    command.upgrade(config, revision)


async def alembic(settings: Settings, run: Callable[..., object], *arguments: str, **options: object) -> str:
    """What one of Alembic's commands prints."""
    output = io.StringIO()
    config = Config(ROOT / "alembic.ini", stdout=output, output_buffer=output)
    config.attributes["settings"] = settings
    await to_thread.run_sync(lambda: run(config, *arguments, **options))
    return output.getvalue()
