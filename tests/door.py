"""oppman.py, called as a person does, or in this process."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from app.cli.main import app as cli

UNREACHABLE = "postgresql://canary_user:canary_password@127.0.0.1:1/canary_name"


def oppman(
    checkout: Path, *arguments: str, typed: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(checkout / "oppman.py"), *arguments], input=typed,
        cwd=checkout.parent, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def assert_one_line(result: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    assert result.returncode == code, result.stdout + result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("oppman: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert "canary" not in result.stdout + result.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def invoke(*arguments: str) -> Result:
    """In this process: quick, for what stops before anything happens."""
    return CliRunner().invoke(cli, list(arguments))
