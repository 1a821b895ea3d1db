"""The environment that everything runs in: .venv, made by uv from uv.lock.

Standard library only: this runs before anything is installed.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from app.cli import fast_status
from app.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "uv.lock"
SYNCED = VENV / "synced.lock"  # a copy of the uv.lock that .venv was made from

UV_VERSION = "0.13.8"  # fetched where there is none; a uv that is there already serves as well
UV_FOLDER = ROOT / ".uv"

UNREACHABLE = ("error sending request", "dns error", "connection", "timed out", "retries exceeded", "name resolution")


class SetupFailed(UserError):
    """One line: what could not be set up, and what to do."""


def enter(arguments: list[str]) -> None:
    """Go on in the environment: returns where this process runs in one, or becomes a process that does.

    A virtual environment that somebody else made and filled (``uv run``, an image) is taken as it is.
    """
    if arguments[:2] == ["migrate", "status"] and "--fast" in arguments:
        code = fast_status.exit_code()
        if code is not None:
            sys.exit(code)
    try:
        inside = VENV.exists() and Path(sys.prefix).samefile(VENV)
        ours = inside and SYNCED.exists()
        if not ours and sys.prefix != sys.base_prefix and find_spec("fastapi") and find_spec("typer"):
            return
        if not _is_synced():
            sync()
    except SetupFailed as error:
        sys.exit(f"oppman: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if not inside:
        _become([str(PYTHON), str(ROOT / "oppman.py"), *arguments])


def _become(command: list[str]) -> None:
    # exec and not a child: signals then reach the one that works. Windows has no such thing.
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execve(command[0], command, os.environ)


def _is_synced() -> bool:
    try:
        return SYNCED.read_bytes() == LOCK.read_bytes()
    except OSError:
        return False


def sync(*groups: str) -> None:
    """Bring .venv to what uv.lock says, and add these dependency groups. Nothing else in it is removed.

    Errors: SetupFailed.
    """
    if not os.access(ROOT, os.W_OK):
        raise SetupFailed(f"{ROOT} may not be written: take a folder of your own, or ask for the right to write")
    # --compile-bytecode: two seconds now, one less at every start where Python may not write it later.
    command = [_uv(), "sync", "--frozen", "--inexact", "--compile-bytecode", "--project", str(ROOT)]
    command += [word for group in groups for word in ("--group", group)]
    if not PYTHON.exists():
        command += ["--python", sys.executable]
    _tell(f"installing what uv.lock names into {VENV.name}" + "".join(f", and {group}" for group in groups))
    settings = {"UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    _run(command, "the environment could not be made", settings)
    shutil.copyfile(LOCK, SYNCED)


def uv_path() -> str | None:
    """The uv that is there."""
    fetched = UV_FOLDER / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    return shutil.which("uv") or (str(fetched) if fetched.exists() else None)


def _uv() -> str:
    if not uv_path():
        if not find_spec("pip"):
            raise SetupFailed(
                "neither uv nor pip is here: install one of them, for example with «apt install python3-pip», "
                "or see https://docs.astral.sh/uv/"
            )
        _tell(f"fetching uv {UV_VERSION}")
        # --target: needs no root and no venv, and does not touch a Python that the system manages.
        options = ["--quiet", "--disable-pip-version-check", "--retries", "2", "--target", str(UV_FOLDER)]
        command = [sys.executable, "-m", "pip", "install", *options, f"uv=={UV_VERSION}"]
        _run(command, "uv could not be fetched", {})
    found = uv_path()
    if not found:
        raise SetupFailed(f"uv could not be fetched: delete {UV_FOLDER} and try again")
    return found


def _run(command: list[str], failure: str, settings: dict[str, str]) -> None:
    result = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, errors="replace", check=False
    )
    if result.returncode:
        said = result.stderr.strip()
        if any(sign in said.lower() for sign in UNREACHABLE):
            raise SetupFailed(
                f"{failure}: the package index cannot be reached; check the network or proxy, and try again"
            )
        raise SetupFailed(f"{failure}: {' '.join(said.split())[-300:] or 'no reason given'}")


def _tell(text: str) -> None:
    print(f"oppman: {text} …", file=sys.stderr, flush=True)
