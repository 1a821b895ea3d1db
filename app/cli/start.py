import asyncio
import os
import re

import typer

from app.cli.migrate import run_upgrade
from app.cli.runserver import Host, Port, require_free_port, serve
from app.cli.secret import new_secret
from app.db.engine import create_engine
from app.db.session import Database
from app.errors import UserError
from app.features import modules
from app.settings import ENV_FILE, ROOT, Settings, load_settings

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: python3 oppman.py start")
def start(host: Host = None, port: Port = None) -> None:
    """Set up what is missing and serve: the first command after a clone.

    Writes .env with a new secret, upgrades the schema, loads demo rows into a database that was empty. What exists
    is left as it is.
    """
    create_env_file()
    settings = load_settings()
    if settings.environment == "production":
        raise UserError("start is for development: in production run oppman.py migrate upgrade, then runserver")
    host, port = host or settings.host, port or settings.port
    require_free_port(host, port)
    if run_upgrade():
        print(f"loaded {asyncio.run(load_samples(settings))} demo rows")
    print(f"serving http://{host}:{port} (API: /docs, health: /health); stop with Ctrl-C", flush=True)
    serve(settings, host, port)


def create_env_file() -> None:
    """Copy example.env to .env, with a secret of its own, for its owner's eyes. An existing one is never touched."""
    text = (ROOT / "example.env").read_text(encoding="utf-8")
    text = re.sub(r"^SECRET_KEY=.*$", f"SECRET_KEY={new_secret()}", text, flags=re.MULTILINE)
    try:
        handle = os.open(ENV_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise UserError(
            f"{ENV_FILE} cannot be written: take a folder of your own, or ask for the right to write"
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    print("wrote .env with a new secret")


async def load_samples(settings: Settings) -> int:
    """How many rows the features brought."""
    database = Database(create_engine(settings))
    try:
        async with database.transaction() as session:
            rows = [row for feature in modules("samples") for row in feature.samples()]
            session.add_all(rows)
        return len(rows)
    finally:
        await database.close()
