import os
import sys
from typing import Annotated

import typer

from app.cli import environment
from app.db import local_postgres
from app.db.local_postgres import LocalPostgres
from app.errors import UserError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A PostgreSQL of your own on this machine, without Docker."
)


def _server() -> LocalPostgres:
    return LocalPostgres(local_postgres.default_folder())


@app.command(epilog="Example: python3 oppman.py db start")
def start(port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 54320, if free.")] = None) -> None:
    """Start it, and make it first where there is none. Its data stays."""
    if not local_postgres.find_binaries():
        environment.sync("postgres")
    server = _server()
    server.start(port)
    print("PostgreSQL runs. To use it, put this line into .env, and run: python3 oppman.py migrate upgrade")
    print(f"DATABASE_URL={server.url}")


@app.command(epilog="Example: python3 oppman.py db stop")
def stop() -> None:
    """Stop it. Its data stays."""
    server = _server()
    if server.folder.exists() and server.is_running():
        server.stop()
        print("PostgreSQL is stopped; its data stays.")
    else:
        print("PostgreSQL does not run.")


@app.command(epilog='Example: export DATABASE_URL="$(python3 oppman.py db url)"')
def url() -> None:
    """Print its DATABASE_URL."""
    print(_server().url)


@app.command(
    epilog='Example: python3 oppman.py db shell -c "select now()"',
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]},
)
def shell(context: typer.Context) -> None:
    """Open psql on it. What follows goes on to psql."""
    server = _server()
    if not server.folder.exists() or not server.is_running():
        raise UserError("the local PostgreSQL does not run: run oppman.py db start")
    command = server.psql(*context.args)
    sys.stdout.flush()
    os.execve(command[0], command, server.environment)
