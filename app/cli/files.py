import asyncio
from typing import Annotated

import typer

from app.db.session import Database
from app.features import modules
from app.settings import load_settings
from app.storage import Storage

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: python3 oppman.py files --delete")
def files(
    delete: Annotated[bool, typer.Option("--delete", help="Remove them. Without it they are only listed.")] = False,
) -> None:
    """List the files that no row of the configured database names: a crash may leave some behind."""
    orphans = asyncio.run(_orphans(delete))
    for name in orphans:
        print(name)
    print(f"files that no row names: {len(orphans)} {'removed' if delete else 'found'}")


async def _orphans(delete: bool) -> list[str]:
    modules("models")  # whose columns name files
    settings = load_settings()
    database, storage = Database.open(settings), Storage(settings.storage_url)
    try:
        async with database.transaction(read_only=True) as session:
            orphans = await storage.orphans(session)
        if delete:
            await storage.discard(*orphans)
        return orphans
    finally:
        await database.close()
