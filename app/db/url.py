"""What a DATABASE_URL means. Pure: it opens nothing."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import UserError

DRIVERS = {"postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}


class DatabaseUrlError(UserError, ValueError):
    """One line: what is wrong with the URL and the way out, never a part of it that may be secret."""


@dataclass(frozen=True)
class DatabaseUrl:
    """What SQLAlchemy's engine is given. Its repr masks the password."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict, repr=False)  # Any: the driver's own arguments

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def anchored(self, folder: Path) -> "DatabaseUrl":
        """The same with a relative SQLite path made absolute below that folder."""
        path = self.url.database
        if not self.is_sqlite or not path or path == ":memory:" or path.startswith("file:"):
            return self
        return replace(self, url=self.url.set(database=str(folder / path)))


def resolve(raw: str) -> DatabaseUrl:
    """The engine's URL for what a person pasted.

    Errors: DatabaseUrlError.
    """
    text = raw.strip()
    if not text:
        raise DatabaseUrlError("is empty: leave the line out for SQLite, or paste a URL")
    scheme, separator, _ = text.partition("://")
    backend, _, driver = scheme.partition("+")
    if not separator or backend not in DRIVERS:
        raise DatabaseUrlError("is not a URL that starts with sqlite:// or postgresql://")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError("cannot be read: percent-encode special characters in the password") from None
    return DatabaseUrl(url if driver else url.set(drivername=DRIVERS[backend]))
