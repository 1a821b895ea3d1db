"""oppman.py migrate as a deployer runs it, in a process of its own; and a slow reader in the way."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db.local_postgres import LocalPostgres
from app.db.migrations import revisions

HEAD = max(revisions.heads())


def start(checkout: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(checkout / "oppman.py"), "migrate", *(arguments or ("upgrade",))]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, errors = process.communicate(timeout=120)
    return process.returncode, output + errors


def migrate(checkout: Path, url: str, *arguments: str) -> tuple[int, str]:
    return finish(start(checkout, url, *arguments))


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def reading(server: LocalPostgres, seconds: float) -> Iterator[None]:
    """Somebody holds what a reader of users holds, from the beginning of the block, that long."""
    sql = f"BEGIN; SELECT count(*) FROM users; SELECT pg_sleep({seconds})"
    reader = threading.Thread(target=server.run_sql, args=(sql, "deployed"))
    reader.start()
    held = "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass"
    wait_until(lambda: server.run_sql(held, "deployed") == "1")
    yield
    reader.join()
