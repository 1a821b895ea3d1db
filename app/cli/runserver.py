import asyncio
import errno
import os
import socket
from typing import Annotated

import typer
import uvicorn
from uvicorn.supervisors import ChangeReload, Multiprocess

from app.db.migrations import revisions
from app.db.session import Database
from app.errors import UserError
from app.observe import logs
from app.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

Host = Annotated[str | None, typer.Option(help="Default: the setting HOST.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: the setting PORT.")]

BACKLOG = 2048  # connections that wait to be accepted, as uvicorn has it
GRACE_SECONDS = 20  # longer than a statement may take: requests in flight finish when the process is told to stop


@app.command(epilog="Example: python3 oppman.py runserver --host 0.0.0.0 --workers 2")
def runserver(
    host: Host = None,
    port: Port = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start anew when a file changes.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Serve; nothing is set up or changed."""
    if reload and workers > 1:
        raise typer.BadParameter("--reload serves with one process: leave --workers out")
    settings = settings_with(host, port)
    listener = listen(settings.host, settings.port)
    asyncio.run(_require_schema(settings))
    serve(settings, listener, reload=reload, workers=workers)


def settings_with(host: str | None, port: int | None) -> Settings:
    """In the environment, too: the service, which reads its own settings, makes links of them."""
    os.environ |= {name: str(value) for name, value in (("HOST", host), ("PORT", port)) if value}
    return load_settings()


def serve(settings: Settings, listener: socket.socket, *, reload: bool = False, workers: int = 1) -> None:
    config = uvicorn.Config(
        "app.main:app",
        reload=reload,
        reload_dirs=["app"] if reload else None,
        workers=workers,
        log_config=logs.config(settings.log_level),
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    if reload:
        ChangeReload(config, target=server.run, sockets=[listener]).run()
    elif workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """The socket that is served on: held from now on, so that nobody else takes it while we prepare.

    Errors: UserError.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":  # where it would let two processes listen
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"port {port} is taken: stop what runs there, or choose another with --port {port + 1}",
            errno.EACCES: f"port {port} needs more rights: choose one above 1023, for example --port 8000",
        }
        raise UserError(reasons.get(error.errno or 0, f"{host}:{port} is no address of this machine")) from error
    listener.set_inheritable(True)  # worker processes use it
    return listener


async def _require_schema(settings: Settings) -> None:
    database = Database.open(settings)
    try:
        async with database.transaction(read_only=True) as session:
            state = await session.run_sync(lambda sync: revisions.state(sync.connection()))
    finally:
        await database.close()
    if state in ("empty", "behind"):
        raise UserError("the database's schema is behind the code: run oppman.py migrate upgrade")
