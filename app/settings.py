"""Everything that can be set, validated once, secrets never shown.

Values come from the environment, then from ``.env`` beside ``oppman.py``, then from the defaults below.
"""

import difflib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv.parser import parse_stream
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.db.url import DEFAULT_DRIVERS, DatabaseUrl, DatabaseUrlError, resolve
from app.errors import UserError, failures

ROOT = Path(__file__).resolve().parents[1]
ENV_FILE = ROOT / ".env"

DEVELOPMENT_SECRET = "insecure-development-secret-of-this-repository"
SECRET_LENGTH = 32  # characters, at least, in production

# Secrets that anybody can look up: this repository's and its relatives'.
PUBLISHED_SECRETS = (DEVELOPMENT_SECRET, "changethis", "change-me", "changeme", "your-secret-key", "dev_secret_key")


BUCKET_URL = r"s3://([^\s/@:?#]+:[^\s/@:?#]+@)?[a-z0-9][a-z0-9.-]+(/[^\s?#]*)?([?&](endpoint|region)=[^\s&#]+)*"


class SettingsError(UserError, ValueError):
    """One line for each setting that is wrong: its name, the reason, an example. Never its value."""


def _split(value: object) -> object:
    """Lists are written as JSON or separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("is not a list: write JSON or separate by commas") from None
    return [item.strip() for item in value.split(",") if item.strip()]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class EnvFile(DotEnvSettingsSource):
    """.env without the parser's leniency: a line that is none is an error, and ${…} in a password stays as it is."""

    @staticmethod
    def _static_read_env_file(
        file_path: Path, *, encoding: str | None = None, **_options: object
    ) -> Mapping[str, str | None]:
        found = {}
        with file_path.open(encoding=encoding) as file:
            for line in parse_stream(file):
                if line.error or (line.key and line.value is None):
                    raise SettingsError(f"line {line.original.line} of .env is not NAME=value: correct or remove it")
                if line.key:
                    found[line.key.lower()] = line.value
        return found


class Settings(BaseSettings):
    """The order here is the order of example.env."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # or pydantic prints the value: a password, in a log
    )

    # The service
    environment: Literal["development", "production"] = "development"
    debug: bool = False
    app_name: str = Field("FastOpp Demo app", min_length=1, max_length=100)
    secret_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)

    # The web
    host: str = Field("127.0.0.1", min_length=1, examples=["0.0.0.0"])
    port: int = Field(8000, ge=1, le=65535)
    allowed_hosts: Names = Field(("localhost", "127.0.0.1", "[::1]"), examples=["example.com,*.example.com"])
    public_url: str = Field("", examples=["https://example.com"])
    max_body_bytes: int = Field(1_048_576, ge=1024)
    max_upload_bytes: int = Field(5_242_880, ge=1024)
    storage_url: SecretStr = Field(
        SecretStr("./uploads"), examples=["s3://bucket/prefix?endpoint=https://s3.example.com"]
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # Accounts
    registration_open: bool = True
    session_days: int = Field(14, ge=1, le=3650)
    rate_limit_url: SecretStr = Field(SecretStr("memory://"), examples=["redis://localhost:6379/0"])
    smtp_url: SecretStr | None = Field(None, examples=["smtps://user:password@mail.example.com:465"])
    email_from: str = Field("noreply@localhost", min_length=3, max_length=320)

    # The database
    database_url: SecretStr = Field(
        SecretStr("sqlite+aiosqlite:///./app.db"), examples=["postgresql://user:password@localhost:5432/fastopp"]
    )
    database_pooled: Literal["auto", "true", "false"] = "auto"
    migration_database_url: SecretStr | None = Field(
        None, examples=["postgresql://owner:password@localhost:5432/fastopp"]
    )
    database_pool_size: int = Field(10, ge=1, le=1000)
    database_pool_timeout_seconds: float = Field(2, gt=0, le=600)
    database_connect_timeout_seconds: float = Field(5, gt=0, le=600)
    database_statement_timeout_seconds: float = Field(15, gt=0, le=86_400)
    database_lock_timeout_seconds: float = Field(5, gt=0, le=86_400)
    database_idle_in_transaction_timeout_seconds: float = Field(30, gt=0, le=86_400)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        return init_settings, env_settings, EnvFile(settings_cls, env_file=dotenv_settings.env_file)

    @field_validator("migration_database_url", "smtp_url", mode="before")
    @classmethod
    def _may_be_empty(cls, value: object) -> object:
        return value or None

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _resolves(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            if value is not None:
                resolve(value.get_secret_value())
        except DatabaseUrlError:
            failures["url_format"] += 1
            raise
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if host != "*" and not re.fullmatch(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\]", host):
                raise ValueError("names alone, without scheme or port; a wildcard stands for the labels in front")
        return tuple(host.lower() for host in value)

    @field_validator("public_url")
    @classmethod
    def _is_where_people_come(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", value):
            raise ValueError("an http or https URL without a query is wanted")
        return value.rstrip("/")

    @field_validator("storage_url")
    @classmethod
    def _is_a_folder_or_a_bucket(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if not url or ("://" in url and not re.fullmatch(BUCKET_URL, url)):
            raise ValueError("a folder is wanted, or s3://bucket/prefix; in a secret key, / is %2F")
        return value

    @field_validator("rate_limit_url")
    @classmethod
    def _is_a_store(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if not re.match(r"memory://$|rediss?://", url):
            raise ValueError("memory:// or a redis:// URL is wanted")
        if not url.startswith("memory") and not find_spec("redis"):
            raise ValueError("wants the package redis: uv sync --inexact --extra redis")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(
            r"smtps?://([^\s/@]+@)?[^\s/@:]+(:\d{1,5})?/?", value.get_secret_value()
        ):
            raise ValueError("smtp://user:password@host:port is wanted, or smtps:// for TLS from the start")
        return value

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        if self.environment == "production":
            problems = "; ".join(self._dangers())
            if problems:
                raise ValueError(f"ENVIRONMENT=production refuses to start: {problems}")
        return self

    def _dangers(self) -> list[str]:
        secret = self.secret_key.get_secret_value()
        dangers = []
        if len(secret) < SECRET_LENGTH or len(set(secret)) < SECRET_LENGTH // 4:
            dangers.append(f"SECRET_KEY needs {SECRET_LENGTH} random characters (python3 oppman.py secret)")
        elif any(published in secret.lower() for published in PUBLISHED_SECRETS):
            dangers.append("SECRET_KEY is a published one (python3 oppman.py secret makes a new one)")
        if self.debug:
            dangers.append("DEBUG must be false")
        if not self.allowed_hosts or "*" in self.allowed_hosts:
            dangers.append("ALLOWED_HOSTS must name the hosts, for example example.com")
        return dangers

    @property
    def base_url(self) -> str:
        """What links in e-mails begin with: never taken from a request, whose Host header anybody can write."""
        if self.public_url:
            return self.public_url
        named = [host for host in self.allowed_hosts if not host.startswith("*")]
        if self.environment == "production" and named:
            return f"https://{named[0]}"
        return f"http://{self.host}:{self.port}"

    @cached_property
    def database(self) -> DatabaseUrl:
        """Where the data is, for the service: with an async driver."""
        found = self._resolve(self.database_url)
        return found if found.is_async else self._resolve(self.database_url, DEFAULT_DRIVERS[found.backend])

    @cached_property
    def migration_database(self) -> DatabaseUrl:
        """The same for migrations, or what MIGRATION_DATABASE_URL says: its driver may be sync."""
        return resolve_anchored(self.migration_database_url) if self.migration_database_url else self.database

    @cached_property
    def database_url_sync(self) -> DatabaseUrl:
        """The same database for a tool that needs a sync driver: its url and connect_args go to create_engine()."""
        return self._resolve(self.database_url, "pysqlite" if self.database.is_sqlite else "psycopg")

    def _resolve(self, url: SecretStr, driver: str | None = None) -> DatabaseUrl:
        pooled = {"auto": None, "true": True, "false": False}[self.database_pooled]
        return resolve_anchored(url, driver, pooled)


def resolve_anchored(url: SecretStr, driver: str | None = None, pooled: bool | None = None) -> DatabaseUrl:
    """A relative SQLite path starts at the project's folder, wherever one stands."""
    return resolve(url.get_secret_value(), driver=driver, pooled=pooled).anchored(ROOT)


def load_settings() -> Settings:
    """The settings of this process.

    Errors: SettingsError.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [_explain(problem["type"], problem["loc"], problem["msg"]) for problem in error.errors()]
    except UnicodeDecodeError:
        problems = [".env is not UTF-8 text: save it as UTF-8"]
    # Outside the handlers: no traceback may carry the value along.
    raise SettingsError("\n".join(problems))


def _explain(kind: str, location: tuple[int | str, ...], message: str) -> str:
    reason = message.removeprefix("Value error, ").replace("Input should", "should")
    if not location:
        return reason
    field = str(location[0])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(field.lower(), Settings.model_fields, n=1)
        hint = f"did you mean {near[0].upper()}?" if near else "remove it, or see example.env for those there are"
        return f"{field.upper()} in .env is not a setting: {hint}"
    return f"{field.upper()}: {reason} (for example {field.upper()}={_example(field)})"


def _example(field: str) -> str:
    info = Settings.model_fields[field]
    value = info.examples[0] if info.examples else info.default
    return "…" if isinstance(value, SecretStr) else str(value).lower() if isinstance(value, bool) else str(value)
