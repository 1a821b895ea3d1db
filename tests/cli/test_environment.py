"""The way from a bare Python to the environment. A whole installation is what .ci/run does, in a fresh clone."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

BARE_PYTHON = sys._base_executable  # type: ignore[attr-defined] # the Python that .venv was made with
NOWHERE = "http://127.0.0.1:1"


def bare(checkout: Path, tmp_path: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """oppman.py where nothing is installed, the home is empty, and no network answers."""
    settings = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "PIP_CONFIG_FILE": os.devnull}
    settings |= {"HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE, "ALL_PROXY": NOWHERE, "PIP_NO_CACHE_DIR": "1"}
    return subprocess.run(
        [BARE_PYTHON, *options, str(checkout / "oppman.py"), "secret"],
        env={**settings, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


def test_without_a_network_it_says_so(checkout: Path, tmp_path: Path) -> None:
    line = last_line(bare(checkout, tmp_path))
    assert line.startswith("oppman: uv could not be fetched: the package index cannot be reached")


def test_without_pip_it_says_so(checkout: Path, tmp_path: Path) -> None:
    assert "neither uv nor pip is here" in last_line(bare(checkout, tmp_path, "-S"))


def test_a_folder_that_may_not_be_written_is_one_line(checkout: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root writes anywhere: become somebody else
        for folder in (tmp_path, *tmp_path.parents):
            if folder.owner() == "root" and folder.is_relative_to(tempfile.gettempdir()):
                folder.chmod(folder.stat().st_mode | 0o055)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    else:
        checkout.chmod(0o555)
        command = []
    result = subprocess.run(
        [*command, "/usr/bin/env", "python3", str(checkout / "oppman.py"), "secret"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    checkout.chmod(0o755)
    assert "may not be written" in last_line(result)


def test_a_synced_environment_is_entered_without_uv(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv").symlink_to(sys.prefix)
    stamp = checkout / ".venv/synced.lock"
    if not stamp.exists() or stamp.read_bytes() != (checkout / "uv.lock").read_bytes():
        pytest.skip("this environment was not made by oppman.py: run python3 oppman.py test")
    result = bare(checkout, tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.strip()) == 64
    assert result.stderr == ""


def test_an_old_python_is_one_line(checkout: Path) -> None:
    """What the page holds before its version check is readable for any Python 3."""
    page = (checkout / "oppman.py").read_text()
    (checkout / "oppman.py").write_text(page.replace("(3, 11)", "(3, 99)"))
    result = subprocess.run(
        [sys.executable, str(checkout / "oppman.py")], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stderr.startswith("oppman: Python 3.11 or newer is needed")
    assert len(result.stderr.splitlines()) == 1
    assert result.returncode == 1
