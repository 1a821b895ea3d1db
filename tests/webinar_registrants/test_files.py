"""oppman.py files, with the rows of this feature."""

from pathlib import Path

import pytest
from anyio import to_thread
from pydantic import SecretStr
from typer.testing import CliRunner
from webinar_registrants.rows import registrant

from app.cli.files import app
from app.db.session import Database
from app.settings import Settings
from app.storage import Storage


async def test_files_that_no_row_names_are_listed_and_removed_when_told(
    own_settings: Settings, own_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(SecretStr(f"{tmp_path}/uploads"))
    used, orphan = [await storage.put("webinar_registrants", b"x", ".webp") for _ in range(2)]
    async with own_database.transaction() as session:
        await registrant(session, photo_url=used)
    monkeypatch.setenv("DATABASE_URL", own_settings.database_url.get_secret_value())
    monkeypatch.setenv("STORAGE_URL", f"{tmp_path}/uploads")

    assert await files() == "files that no row names: 0 found\n"
    monkeypatch.setattr("app.storage.UNCLAIMED_HOURS", -1)
    assert await files() == f"{orphan}\nfiles that no row names: 1 found\n"
    assert await storage.get(orphan) == b"x"
    assert await files("--delete") == f"{orphan}\nfiles that no row names: 1 removed\n"
    assert [await storage.get(name) for name in (used, orphan)] == [b"x", None]


async def files(*options: str) -> str:
    result = await to_thread.run_sync(lambda: CliRunner().invoke(app, options))
    assert result.exit_code == 0, result.output
    return result.stdout
