"""Databases to try things on: empty, on both kinds, and gone afterwards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import Literal

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import MetaData, make_url

from app.db import local_postgres
from app.db.migrations import environment, revisions
from app.db.migrations.deploy import Patience
from app.settings import Settings

Backend = Literal["sqlite", "postgresql"]
BACKENDS: tuple[Backend, ...] = ("sqlite", "postgresql")


@contextmanager
def databases() -> Iterator[Callable[[Backend], Settings]]:
    """A function that makes another empty database, and returns settings that lead to it."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        servers: list[local_postgres.LocalPostgres] = []
        made = 0

        def make(backend: Backend) -> Settings:
            nonlocal made
            made += 1
            if backend == "sqlite":
                return _settings(f"sqlite:///{folder}/{made}.db")
            if not servers:  # only now: it takes a second
                servers.append(stack.enter_context(local_postgres.throwaway()))
            servers[0].run_sql(f"CREATE DATABASE throwaway_{made}", "postgres")
            url = make_url(servers[0].url).set(database=f"throwaway_{made}")
            return _settings(url.render_as_string(hide_password=False))

        yield make


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


def create_all(settings: Settings, metadata: MetaData) -> None:
    """The schema that the models describe. Only ever here: the service's own is made by revisions."""
    environment.in_transaction(settings, metadata.create_all)
