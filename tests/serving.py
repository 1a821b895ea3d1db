"""The service as it runs: a process of its own, on a port of its own."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def get(port: int, path: str) -> tuple[int, dict[str, object]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        return response.status, json.load(response)


@contextmanager
def serving(checkout: Path, command: str, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [sys.executable, str(checkout / "oppman.py"), *shlex.split(command), "--port", str(port)]
    with (checkout.parent / "output").open("ab") as output:
        process = subprocess.Popen(
            arguments, cwd=checkout.parent, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        wait_for(port, process, checkout.parent / "output")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0 or process.returncode == -signal.SIGTERM


def wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            get(port, "/health")
        except OSError:
            assert process.poll() is None, output.read_text()
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"nothing answers: {output.read_text()}")
