"""The quick answer for a probe is the same as the slow one."""

import subprocess
import sys
from pathlib import Path

import pytest
from databases import migrate, settings_for

from app.cli import fast_status
from app.db.migrations import revisions


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/probe.db"
    monkeypatch.setenv("DATABASE_URL", url)
    return url


def test_pending_then_at_head(database: str) -> None:
    assert fast_status.exit_code() == 3
    migrate(settings_for(database), "+1")
    assert fast_status.exit_code() == 3
    migrate(settings_for(database))
    assert fast_status.exit_code() == 0


def test_ahead(database: str, tmp_path: Path) -> None:
    migrate(settings_for(database))
    subprocess.run(
        [sys.executable, "-c", f"import sqlite3; c = sqlite3.connect({str(tmp_path / 'probe.db')!r});"
         "c.execute(\"UPDATE alembic_version SET version_num = 'x'\"); c.commit()"], check=True,
    )  # fmt: skip
    assert fast_status.exit_code() == 6


@pytest.mark.parametrize("url", ["postgresql://u:p@h/d", "sqlite:///x.db?mode=ro", "sqlite://", "nonsense"])
def test_what_is_not_plain_is_left_to_the_command(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert fast_status.exit_code() is None


def test_it_knows_every_revision() -> None:
    steps = [dict(fast_status.FIELD.findall(Path(script.path).read_text())) for script in revisions.history()]
    assert {step["revision"] for step in steps} == {script.revision for script in revisions.history()}
