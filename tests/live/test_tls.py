"""sslmode and its companions mean on every driver what they mean in libpq. On a real server, with a CA made for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from databases import settings_for
from pydantic import ValidationError
from servers import KEY_PASSWORD, Certificates, postgresql_with_tls
from sqlalchemy import make_url
from sqlalchemy.engine import Connection

from app.db.engine import create_migration_engine
from app.db.errors import DatabaseUnavailable
from app.db.local_postgres import LocalPostgres
from app.db.migrations import environment
from app.db.url import DatabaseUrlError

DRIVERS = ["asyncpg", "psycopg", "psycopg2", "pg8000"]
Servers = tuple[LocalPostgres, Certificates]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with postgresql_with_tls() as found:
        found[0].run_sql("CREATE ROLE certified LOGIN")
        yield found


@dataclass(frozen=True)
class Tls:
    version: str | None
    client: str | None


def connect(servers: Servers, driver: str, host: str, user: str = "", **parameters: Any) -> Tls:
    server = make_url(servers[0].url)
    values = urlencode({name: str(value) for name, value in parameters.items()})
    secret = "" if user else f":{server.password}"
    url = f"postgresql+{driver}://{user or server.username}{secret}@{host}:{server.port}/{server.database}?{values}"

    def ask(connection: Connection) -> Tls:
        sql = "SELECT version, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        return Tls(*connection.exec_driver_sql(sql).one())

    settings = settings_for("sqlite://", migration_database_url=url)
    return environment.on_engine(create_migration_engine(settings), ask)


def refused(servers: Servers, driver: str, host: str, **parameters: Any) -> str:
    with pytest.raises((DatabaseUnavailable, DatabaseUrlError, ValidationError)) as caught:
        connect(servers, driver, host, **parameters)
    if isinstance(caught.value, DatabaseUnavailable):
        assert caught.value.kind == "tls", caught.value
    return str(caught.value)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("mode", "root", "host", "outcome"),
    [
        ("disable", None, "localhost", "plain"),
        ("allow", None, "localhost", "any"),
        ("prefer", None, "localhost", "tls"),
        (None, None, "localhost", "tls"),
        ("require", None, "127.0.0.1", "tls"),
        ("require", "root", "127.0.0.1", "tls"),
        ("require", "other_root", "localhost", "refused"),
        ("verify-ca", "root", "127.0.0.1", "tls"),
        ("verify-ca", "other_root", "localhost", "refused"),
        ("verify-full", "root", "localhost", "tls"),
        ("verify-full", "root", "127.0.0.1", "refused"),
        ("verify-full", "other_root", "localhost", "refused"),
        ("verify-full", "system", "localhost", "refused"),
        (None, "system", "localhost", "refused"),
        (None, "other_root", "localhost", "refused"),
        ("verify-full", "missing", "localhost", "refused"),
    ],
)
def test_sslmode(servers: Servers, driver: str, mode: str | None, root: str | None, host: str, outcome: str) -> None:
    parameters: dict[str, Any] = {"sslmode": mode} if mode else {}
    if root:
        paths = {"system": "system", "missing": "/nowhere/root.pem"}
        parameters["sslrootcert"] = paths.get(root) or getattr(servers[1], root)
    if outcome == "refused":
        refused(servers, driver, host, **parameters)
    else:
        version = connect(servers, driver, host, **parameters).version
        assert outcome == "any" or (version is not None) == (outcome == "tls")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_client_certificate_is_shown(servers: Servers, driver: str) -> None:
    files = servers[1]
    parameters: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": files.root, "sslcert": files.client}
    plain = connect(servers, driver, "localhost", "certified", sslkey=files.client_key, **parameters)
    locked = connect(
        servers, driver, "localhost", "certified", sslkey=files.locked_key, sslpassword=KEY_PASSWORD, **parameters
    )
    assert "CN=certifie" in (plain.client or "")
    assert locked == plain


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_revoked_certificate_is_refused(servers: Servers, driver: str) -> None:
    files = servers[1]
    parameters: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": files.root}
    assert connect(servers, driver, "localhost", sslcrl=files.empty_crl, **parameters).version
    refused(servers, driver, "localhost", sslcrl=files.revoked, **parameters)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_version_is_bounded(servers: Servers, driver: str) -> None:
    oldest = connect(servers, driver, "localhost", sslmode="require", ssl_max_protocol_version="TLSv1.2")
    newest = connect(servers, driver, "localhost", sslmode="require", ssl_min_protocol_version="TLSv1.3")
    assert (oldest.version, newest.version) == ("TLSv1.2", "TLSv1.3")


def test_channel_binding_is_kept_or_made_stricter(servers: Servers) -> None:
    assert connect(servers, "psycopg", "localhost", sslmode="require", channel_binding="require").version
    message = refused(servers, "asyncpg", "localhost", sslmode="require", channel_binding="require")
    assert "certificate" in message
    root = servers[1].root
    assert connect(servers, "asyncpg", "localhost", sslrootcert=root, channel_binding="require").version
    refused(servers, "asyncpg", "127.0.0.1", sslrootcert=root, channel_binding="require")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_without_tls_is_refused_where_it_was_asked_for(driver: str, postgresql_url: str) -> None:
    url = make_url(postgresql_url).set(drivername=f"postgresql+{driver}", query={"sslmode": "require"})
    text = url.render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnavailable, match="the server has no TLS") as caught:
        environment.on_engine(
            create_migration_engine(settings_for("sqlite://", migration_database_url=text)), lambda _: None
        )
    assert caught.value.kind == "tls"
