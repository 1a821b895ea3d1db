"""Databases to try things on: empty, on both kinds, and gone afterwards."""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import takewhile
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.script import Script
from alembic.util import to_tuple
from pydantic import SecretStr
from sqlalchemy import MetaData, make_url

from app.db import local_postgres
from app.db.engine import create_migration_engine
from app.db.errors import DatabaseUnavailable
from app.db.migrations import environment, revisions
from app.db.migrations.deploy import Patience
from app.db.url import DatabaseUrlError, resolve
from app.settings import Settings

Backend = Literal["sqlite", "postgresql"]
BACKENDS: tuple[Backend, ...] = ("sqlite", "postgresql")


@contextmanager
def databases() -> Iterator[Callable[[Backend], Settings]]:
    """A function that makes another empty database, and returns settings that lead to it."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())

        def make(backend: Backend) -> Settings:
            name = f"throwaway_{token_hex(8)}"
            if backend == "sqlite":
                return _settings(f"sqlite:///{folder}/{name}.db")
            _execute(f"CREATE DATABASE {name}")
            stack.callback(_execute, f"DROP DATABASE {name} WITH (FORCE)")
            return _settings(make_url(_server_url()).set(database=name).render_as_string(hide_password=False))

        yield make


def _execute(sql: str) -> None:
    engine = create_migration_engine(_settings(_server_url())).execution_options(isolation_level="AUTOCOMMIT")
    try:
        environment.on_engine(engine, lambda connection: connection.exec_driver_sql(sql))
    except DatabaseUnavailable as error:
        which = "the server of TEST_DATABASE_URL" if os.environ.get("TEST_DATABASE_URL") else "the throwaway server"
        raise DatabaseUnavailable(f"{which}: {error}", error.kind) from error


@cache
def _server_url() -> str:
    """The tests' server, or one that goes with this process: to make it takes a second.

    Errors: UserError.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        try:
            if not resolve(given).is_sqlite:
                return given
        except DatabaseUrlError as error:
            raise DatabaseUrlError(f"TEST_DATABASE_URL: {error}") from None
        raise DatabaseUrlError("TEST_DATABASE_URL: name a PostgreSQL, or leave it out and one is started")
    kept = ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(local_postgres.throwaway()).url


def anywhere() -> Settings:
    """A PostgreSQL that nobody connects to: for SQL on paper."""
    return _settings("postgresql://nobody@localhost/nothing")


def _settings(url: str) -> Settings:
    # Whatever the person at the keyboard has set: it is not their database.
    return Settings(_env_file=None, environment="development", database_url=SecretStr(url), migration_database_url=None)


def migrate(settings: Settings, revision: str = "head", *, down: bool = False, config: Config | None = None) -> None:
    """Upgrade, contract steps too, or downgrade; by other revisions than ours, where the configuration says so.

    Errors: whatever the revision raises.
    """
    config = config or revisions.config()
    config.attributes |= {"settings": settings, "patience": Patience(allow_contract=True)}
    (command.downgrade if down else command.upgrade)(config, revision)


def migrate_before(settings: Settings, script: Script) -> None:
    """Apply whatever comes before that revision."""
    earlier = list(takewhile(lambda other: other.revision != script.revision, revisions.history()))
    followed = {revision for other in earlier for revision in to_tuple(other.down_revision, ())}
    for other in earlier:
        if other.revision not in followed:
            migrate(settings, other.revision)


def create_all(settings: Settings, metadata: MetaData) -> None:
    """The schema that the models describe. Only ever here: the service's own is made by revisions."""
    environment.in_transaction(settings, metadata.create_all)
