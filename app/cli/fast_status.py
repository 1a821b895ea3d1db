"""``oppman.py migrate status --fast`` on SQLite: the answer for a probe, before anything but Python is loaded.

Standard library only. Whatever is not plain is left to the command itself.
"""

import os
import re
import sqlite3
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_URL = "sqlite:///./app.db"

AT_HEAD, PENDING, AHEAD = 0, 3, 6

URL = re.compile(r"sqlite(?:\+\w+)?:///([^?%:]+)")
FIELD = re.compile(r'^(revision|down_revision|phase)\s*=\s*["\']([^"\']+)["\']', re.MULTILINE)


def exit_code() -> int | None:
    """What the command would exit with, or None where it has to look itself."""
    match = URL.fullmatch(_database_url())
    if not match:
        return None
    at = _revision(ROOT / match[1])
    texts = [path.read_text() for path in (ROOT / "alembic/versions").rglob("*.py")]
    steps = [dict(FIELD.findall(text)) for text in texts]
    following = {step.get("down_revision"): step for step in steps}
    if len(following) != len(steps):
        return None  # two heads, or a merge
    if at and at not in {step["revision"] for step in steps}:
        return None if any(f'"{at}"' in text for text in texts) else AHEAD  # squashed away: there is more to say
    return PENDING if at in following else AT_HEAD


def _database_url() -> str:
    """As the settings find it: the environment, then .env, then the default."""
    if "DATABASE_URL" in os.environ:
        return os.environ["DATABASE_URL"]
    try:
        lines = (ROOT / ".env").read_text().splitlines()
    except OSError:
        return DEFAULT_URL
    values = [line.partition("=")[2].strip() for line in lines if line.startswith("DATABASE_URL=")]
    return values[-1] if values else DEFAULT_URL


def _revision(path: Path) -> str | None:
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    return str(found[0]) if found else None
