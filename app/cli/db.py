import json
import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli import environment
from app.db import local_postgres
from app.db.diagnosis import Finding, examine
from app.db.local_postgres import LocalPostgres
from app.errors import UserError
from app.settings import SettingsError, load_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Ask the database how it is; run a PostgreSQL of your own, without Docker.",
)


def _server() -> LocalPostgres:
    return LocalPostgres(local_postgres.default_folder())


@app.command(epilog="Example: python3 oppman.py db start")
def start(port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 54320, if free.")] = None) -> None:
    """Start it, and make it first where there is none. Its data stays."""
    if not local_postgres.find_binaries():
        environment.sync("postgres")
    server = _server()
    print("oppman: starting PostgreSQL …", file=sys.stderr, flush=True)
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


@app.command(epilog="Example: python3 oppman.py db check --workers 4")
def check(
    workers: Annotated[int, typer.Option(min=1, help="Processes that serve, each with a pool of its own.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say how the configured database is reached and how it is; exit code 1 where the service cannot work."""
    try:
        reports = examine(load_settings(), workers=workers)
    except SettingsError as error:
        reports = {"settings": [Finding("wrong", line, "correct it in .env or the environment", fatal=True)
                                for line in str(error).splitlines()]}  # fmt: skip
    if as_json:
        print(json.dumps({name: [asdict(finding) for finding in found] for name, found in reports.items()}, indent=2))
    else:
        for name, found in reports.items():
            _print_table(name, found)
    if any(finding.fatal for found in reports.values() for finding in found):
        raise typer.Exit(1)


def _print_table(title: str, findings: list[Finding]) -> None:
    print(title)
    for finding in findings:
        print(f"  {'!' if finding.advice else ' '} {finding.name:<12} {finding.value}")
        if finding.advice:
            print(f"    {'':<12} -> {finding.advice}")
