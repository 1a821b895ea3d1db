"""What a DATABASE_URL means: any that a provider hands out, as pasted, or one line that says why not.

Pure: it connects to nothing. url_parse.py takes the text apart, url_drivers.py knows what each driver makes of a
parameter. The rules come from libpq
(https://www.postgresql.org/docs/current/libpq-connect.html), where SQLAlchemy and the drivers differ from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL

from app.db import url_drivers
from app.db.url_parse import DEFAULT_PORT, DatabaseUrlError, Target, decode, parameters_of, parse

__all__ = ["DatabaseUrl", "DatabaseUrlError", "resolve"]

MAX_LENGTH = 8192

BACKENDS = {"postgres": "postgresql", "postgresql": "postgresql", "sqlite": "sqlite"}
DEFAULT_DRIVERS = {"postgresql": "asyncpg", "sqlite": "aiosqlite"}
DRIVERS = {
    **dict.fromkeys(("asyncpg", "psycopg", "psycopg2", "pg8000"), "postgresql"),
    **dict.fromkeys(("aiosqlite", "pysqlite"), "sqlite"),
}
ALIASES = {"sqlite3": "pysqlite", "psycopg3": "psycopg", "psycopg_async": "psycopg"}
ASYNC_DRIVERS = frozenset({"asyncpg", "psycopg", "aiosqlite"})

# Where transaction poolers listen, and what their hosts are called. A guess: DATABASE_POOLED overrides it.
POOLER_PORTS = {6432, 6543, 25061}
POOLER_HOST = re.compile(r"-pooler\.|^pgbouncer\.|^pooled\.")

URI_PARAMETERS = frozenset({"mode", "cache", "immutable", "nolock", "psow", "vfs"})  # SQLite: in a file: URI only
SQLITE_PARAMETERS = URI_PARAMETERS | {"uri", "timeout", "check_same_thread", "cached_statements"}


@dataclass(frozen=True)
class DatabaseUrl:
    """What SQLAlchemy's engine is given. Its repr shows no secret."""

    url: URL
    connect_args: dict[str, Any]  # Any: the driver's own arguments
    pooled: bool = False  # behind a pooler that gives each transaction another connection
    parameters: dict[str, str] = field(default_factory=dict)  # as written in the URL

    @property
    def has_several_hosts(self) -> bool:
        return "," in str(self.url.query.get("host", ""))

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.url!r}, pooled={self.pooled})"

    @property
    def driver(self) -> str:
        return self.url.get_driver_name()

    @property
    def backend(self) -> str:
        return self.url.get_backend_name()

    @property
    def is_sqlite(self) -> bool:
        return self.backend == "sqlite"

    @property
    def is_async(self) -> bool:
        return self.driver in ASYNC_DRIVERS

    def anchored(self, folder: Path) -> "DatabaseUrl":
        """The same with a relative SQLite path made absolute below that folder."""
        path = self.url.database
        if not self.is_sqlite or not path or ":memory:" in path:
            return self
        if path.startswith("file:"):
            absolute = path if path.startswith("file:/") else f"file:{quote(str(folder))}/{path[5:]}"
        else:
            absolute = str(folder / path)
        return replace(self, url=self.url.set(database=absolute))


def resolve(raw: str, *, driver: str | None = None, pooled: bool | None = None) -> DatabaseUrl:
    """What to give to SQLAlchemy for what a person pasted.

    driver: asyncpg, psycopg, psycopg2, pg8000, aiosqlite or pysqlite; None for the one that the URL names, or the
    default. pooled: whether a transaction pooler is in between; None guesses.
    Errors: DatabaseUrlError.
    """
    text = _trim(raw)
    backend, named, rest = _scheme(text)
    driver = _driver(backend, ALIASES.get(driver, driver) if driver else named)
    if backend == "sqlite":
        return _sqlite(driver, rest)
    target = parse(rest, url_drivers.KNOWN)
    if pooled is None:
        pooled = _looks_pooled(target)
    query, connect_args = url_drivers.translate(driver, target, pooled=pooled)
    return DatabaseUrl(_url(driver, target, query), connect_args, pooled, target.parameters)


def _trim(raw: str) -> str:
    text = raw.strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    if not text:
        raise DatabaseUrlError("is empty: leave the line out for SQLite, or paste a URL")
    if len(text) > MAX_LENGTH:
        raise DatabaseUrlError(f"is longer than {MAX_LENGTH} characters: paste one URL only")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise DatabaseUrlError("holds a control character, such as a tab or a line end: paste it again in one line")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise DatabaseUrlError("is not valid text: paste it again")
    return text


def _scheme(text: str) -> tuple[str, str | None, str]:
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if not match:
        raise DatabaseUrlError("is not a URL: write postgresql://user:password@host:5432/name or sqlite:///./app.db")
    scheme = match[1].lower()
    backend, _, driver = scheme.partition("+")
    if backend not in BACKENDS:
        # Only well-known names are repeated: anything else may be a secret pasted into the wrong field.
        known = "mysql mariadb mssql oracle mongodb redis cockroachdb http https jdbc prisma+postgres mysql+pymysql"
        name = f"scheme '{scheme}'" if scheme in known.split() else "this scheme"
        raise DatabaseUrlError(f"{name} is not supported: it must begin with postgresql:// or sqlite://")
    return BACKENDS[backend], ALIASES.get(driver, driver) or None, text[match.end() :]


def _driver(backend: str, driver: str | None) -> str:
    if driver is None:
        return DEFAULT_DRIVERS[backend]
    if driver not in DRIVERS:
        shown = f"driver '{driver}'" if re.fullmatch(r"[a-z0-9_]{1,20}", driver) else "that driver"
        raise DatabaseUrlError(f"{shown} is not supported: there are {', '.join(DRIVERS)}")
    if DRIVERS[driver] != backend:
        raise DatabaseUrlError(f"driver '{driver}' is not for {backend}: leave it out for {DEFAULT_DRIVERS[backend]}")
    return driver


def _sqlite(driver: str, rest: str) -> DatabaseUrl:
    # SQLite's own file: URIs keep their escapes; a plain path has them decoded.
    path, _, query = rest.partition("?")
    if path and not path.startswith("/"):
        raise DatabaseUrlError("needs three slashes for a file: sqlite:///./app.db, or four for an absolute path")
    database = path[1:] if path.startswith("/file:") else decode(path[1:])
    parameters = parameters_of(query, SQLITE_PARAMETERS)
    if parameters.keys() & URI_PARAMETERS and not database.startswith("file:"):
        database = f"file:{quote(database)}"
    if database.startswith("file:"):
        parameters["uri"] = "true"
    return DatabaseUrl(URL.create(f"sqlite+{driver}", database=database or ":memory:", query=parameters), {})


def _looks_pooled(target: Target) -> bool:
    hints = target.parameters.get("pgbouncer") == "true" or target.parameters.get("statement_cache_size") == "0"
    return hints or any(port in POOLER_PORTS or POOLER_HOST.search(name) for name, port in target.hosts)


def _url(driver: str, target: Target, query: Mapping[str, str]) -> URL:
    url = URL.create(
        f"postgresql+{driver}", username=target.user, password=target.password, database=target.database, query=query
    )
    if len(target.hosts) == 1 and not target.hosts[0][0].startswith("/"):
        [(host, port)] = target.hosts
        return url.set(host=host, port=port or DEFAULT_PORT)
    if not target.hosts or driver == "pg8000":
        return url
    names = ",".join(name for name, _ in target.hosts)
    ports = ",".join(str(port or DEFAULT_PORT) for _, port in target.hosts)
    return url.update_query_dict({"host": names, "port": ports})
