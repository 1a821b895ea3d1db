import asyncio
import os
import re

import typer

from app.cli.migrate import run_upgrade
from app.cli.runserver import Host, Port, listen, serve, settings_with
from app.cli.samples import load_samples
from app.cli.secret import new_secret
from app.errors import UserError
from app.features import FEATURES
from app.settings import ENV_FILE, ROOT, load_settings

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: python3 oppman.py start")
def start(host: Host = None, port: Port = None) -> None:
    """Set up what is missing and serve: the first command after a clone.

    Writes .env with a new secret, upgrades the schema, loads sample rows into tables that are all empty. What exists
    is left as it is.
    """
    settings = settings_with(host, port)
    if settings.environment == "production":
        raise UserError("start is for development: in production run oppman.py migrate upgrade, then runserver")
    listener = listen(settings.host, settings.port)
    create_env_file()
    settings = load_settings()
    run_upgrade()
    loaded, _ = asyncio.run(load_samples(settings, FEATURES))
    if loaded:
        print(f"loaded {loaded.total()} sample rows")
    print(f"serving http://{settings.host}:{settings.port} (API: /docs, health: /health); stop with Ctrl-C", flush=True)
    serve(settings, listener)


def create_env_file() -> None:
    """Copy example.env to .env, with a secret of its own, for its owner's eyes. An existing one is never touched."""
    if ENV_FILE.exists():
        return
    content = (ROOT / "example.env").read_text(encoding="utf-8")
    content = re.sub(r"^SECRET_KEY=.*$", f"SECRET_KEY={new_secret()}", content, flags=re.MULTILINE)
    # Whole or not at all: a half-written .env would be kept for ever.
    draft = ENV_FILE.with_name(f".env.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        os.link(draft, ENV_FILE)
        print("wrote .env with a new secret")
    except FileExistsError:
        pass  # somebody else was first
    finally:
        draft.unlink(missing_ok=True)
