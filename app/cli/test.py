import os
import subprocess
import sys
from importlib.util import find_spec

import typer

from app.cli import environment
from app.db import local_postgres

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: python3 oppman.py test -k migrations -x",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]},
)
def test(context: typer.Context) -> None:
    """Run the tests on SQLite and PostgreSQL. What follows goes on to pytest.

    PostgreSQL is the server of TEST_DATABASE_URL (its database's name must contain "test"), or one that is started
    from this machine's binaries, or from a package that brings them.
    """
    if not find_spec("pytest"):
        environment.sync("dev")
    if "slow" in context.args and not all(find_spec(name) for name in ("moto", "playwright", "schemathesis")):
        environment.sync("dev", "slow")
    if not os.environ.get("TEST_DATABASE_URL") and not local_postgres.find_binaries():
        environment.sync("postgres")
    # The whole suite spends most of its time in other processes; a few tests are quicker without workers.
    command = [sys.executable, "-m", "pytest", *(context.args or ["--numprocesses=auto", "--dist=worksteal"])]
    os.chdir(environment.ROOT)
    if os.name == "nt":
        raise SystemExit(subprocess.call(command))
    os.execve(sys.executable, command, os.environ)
