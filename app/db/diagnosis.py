"""What a person wants to know when the database does not work: ``oppman.py db check``."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from sqlalchemy import Connection

from app.db.engine import create_engine, create_migration_engine
from app.db.migrations import environment, revisions
from app.db.url import DatabaseUrl
from app.errors import UserError
from app.settings import Settings

PACKAGES = {"psycopg2": "psycopg2-binary"}
LOCAL = ("127.0.0.1", "::1", "localhost")
PROBES = 5

TLS = "SELECT ssl, version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
SERVER = """
    SELECT current_setting('server_version'), pg_backend_pid(), pg_is_in_recovery(),
           current_setting('transaction_read_only'), current_setting('server_encoding'), current_setting('TimeZone'),
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""


@dataclass(frozen=True)
class Finding:
    name: str
    value: str
    advice: str = ""  # what to do, where it is not fine
    fatal: bool = False  # the service cannot work


def examine(settings: Settings, *, workers: int) -> dict[str, list[Finding]]:
    """What there is to say of the service's database, and of that for migrations where it has a URL of its own."""
    reports = {"service": list(_findings(settings, settings.database, workers, for_service=True))}
    if settings.migration_database_url:
        reports["migrations"] = list(_findings(settings, settings.migration_database, 1, for_service=False))
    return reports


def _findings(settings: Settings, database: DatabaseUrl, workers: int, *, for_service: bool) -> Iterator[Finding]:
    yield Finding("url", database.url.render_as_string(hide_password=True))
    try:
        engine = create_engine(settings) if for_service else create_migration_engine(settings)
    except UserError as error:
        yield Finding("settings", database.driver, str(error), fatal=True)
        return
    yield Finding("driver", f"{database.driver} {_version(database.driver)}")
    before = list(_address(database))
    yield from before
    if any(finding.fatal for finding in before):
        return  # to connect would make a new file, or repeat the reason
    started = time.perf_counter()
    try:
        yield from environment.on_engine(
            engine, lambda connection: list(_inside(settings, database, workers, connection))
        )
    except UserError as error:
        after = f"no, after {_milliseconds(time.perf_counter() - started)}"
        yield Finding("connects", after, str(error).removeprefix("the database is away: "), fatal=True)


def _version(driver: str) -> str:
    return "of Python" if driver == "pysqlite" else version(PACKAGES.get(driver, driver))


def _address(database: DatabaseUrl) -> Iterator[Finding]:
    if database.is_sqlite:
        path = Path(database.url.database or "")
        if path.exists():
            yield Finding("file", f"{path.stat().st_size:,} bytes")
        elif path.is_absolute():
            yield Finding("file", "not there yet", "run oppman.py migrate upgrade", fatal=True)
        return
    names = str(database.url.query.get("host", "")).split(",") if database.url.host is None else [database.url.host]
    for name in filter(None, names):
        if name.startswith("/"):
            there = os.path.isdir(name)
            yield Finding("socket", name, "" if there else "there is no such folder: is the server on this machine?")
            continue
        try:
            found = sorted({str(info[4][0]) for info in socket.getaddrinfo(name, None)})
            yield Finding("address", f"{name} is {', '.join(found)}")
        except OSError:
            yield Finding("address", f"{name} is not known", "check the spelling, and that this network may resolve it")


def _inside(settings: Settings, database: DatabaseUrl, workers: int, connection: Connection) -> Iterator[Finding]:
    yield Finding("connects", "yes")
    yield Finding("latency", _latency(connection))
    if database.is_sqlite:
        yield Finding("server", f"SQLite {connection.exec_driver_sql('SELECT sqlite_version()').scalar()}")
    else:
        yield from _tls(database, connection)
        yield from _server(settings, database, workers, connection)
    yield _schema(connection)


def _latency(connection: Connection) -> str:
    times = []
    for _ in range(PROBES):
        started = time.perf_counter()
        connection.exec_driver_sql("SELECT 1")
        times.append(time.perf_counter() - started)
    return f"{_milliseconds(median(times))} for a query"


def _tls(database: DatabaseUrl, connection: Connection) -> Iterator[Finding]:
    encrypted, protocol, cipher = connection.exec_driver_sql(TLS).one()
    where = " (between pooler and server)" if database.pooled else ""
    if encrypted:
        yield Finding("tls", f"{protocol}, {cipher}{where}; sslmode={database.parameters.get('sslmode', 'not given')}")
        return
    host = database.url.host or ""
    near = database.pooled or not host or host in LOCAL
    advice = "" if near else "everything crosses the network in plain text: add ?sslmode=verify-full&sslrootcert=system"
    yield Finding("tls", f"none{where}", advice)


def _server(settings: Settings, database: DatabaseUrl, workers: int, connection: Connection) -> Iterator[Finding]:
    number, pid, standby, read_only, encoding, zone, room = connection.exec_driver_sql(SERVER).one()
    yield Finding("server", f"PostgreSQL {number}")
    yield _pooler(database, connection, pid)
    if standby or read_only == "on":
        advice = "it takes no writes: name the primary, or all hosts with target_session_attrs=read-write"
        yield Finding("role", "standby" if standby else "read-only", advice, fatal=True)
    else:
        yield Finding("role", "primary, takes writes")
    wanted = workers * settings.database_pool_size
    advice = (
        "" if wanted < room else "fewer workers, a smaller DATABASE_POOL_SIZE, a larger max_connections, or a pooler"
    )
    limits = f"{workers} × {settings.database_pool_size} = {wanted} of {room} that the server has"
    yield Finding("connections", limits, advice if not database.pooled else "")
    advice = (
        "" if encoding == "UTF8" else "make a new database with ENCODING 'UTF8' TEMPLATE template0, and restore into it"
    )
    yield Finding("encoding", encoding, advice)
    yield Finding(
        "time zone",
        zone,
        "" if zone in ("UTC", "Etc/UTC") else "the service sets UTC: does the URL's options change it?",
    )


def _pooler(database: DatabaseUrl, connection: Connection, pid: int) -> Finding:
    # A pooler answers the greeting itself, with a process id of its own making.
    greeted = _greeting_pid(connection)
    if greeted is None or greeted == pid:
        advice = "nothing is in between: DATABASE_POOLED=false is faster" if database.pooled and greeted else ""
        return Finding("pooler", "none" if greeted else "not known with this driver", advice)
    advice = "" if database.pooled else "set DATABASE_POOLED=true, unless it pools whole sessions"
    return Finding("pooler", "yes, handled" if database.pooled else "yes", advice)


def _greeting_pid(connection: Connection) -> int | None:
    driver = connection.connection.driver_connection
    if driver is None:
        return None
    if hasattr(driver, "get_server_pid"):
        return int(driver.get_server_pid())
    info = getattr(driver, "info", None)
    return int(info.backend_pid) if info is not None else None


def _schema(connection: Connection) -> Finding:
    at = ", ".join(sorted(revisions.current(connection))) or "no revision"
    state = revisions.state(connection)
    if state in ("empty", "behind"):
        return Finding("schema", f"{at}, behind the code", "run oppman.py migrate upgrade", fatal=True)
    return Finding("schema", f"{at}, {'as the code' if state == 'head' else 'ahead of the code, which is fine'}")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
