import os
import subprocess
import sys
from importlib.util import find_spec

import typer

from app.cli import environment
from app.errors import UserError

app = typer.Typer(add_completion=False)

PYTHON_TOOLS = {
    "lint": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "types": ["mypy"],
}


@app.command(epilog="Example: python3 oppman.py check")
def check() -> None:
    """Lint, format, types, lock file: what CI runs besides the tests."""
    if not find_spec("mypy"):
        environment.sync("dev")
    steps = {name: [sys.executable, "-m", *words] for name, words in PYTHON_TOOLS.items()}
    uv = environment.uv_path()
    if uv:
        steps["lock file"] = [uv, "lock", "--check", "--offline", "--no-config"]
    failed = [name for name, command in steps.items() if not _passes(name, command)]
    if failed:
        raise UserError(f"not fine: {', '.join(failed)}")


def _passes(name: str, command: list[str]) -> bool:
    # Without the user's index settings: the lock file names the public index.
    settings = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
    print(f"{name}: ", end="", flush=True)
    result = subprocess.run(command, cwd=environment.ROOT, env=settings, capture_output=True, text=True, check=False)
    print("fine" if not result.returncode else f"\n{result.stdout}{result.stderr}".rstrip())
    return not result.returncode
