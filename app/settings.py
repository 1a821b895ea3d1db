"""Everything that can be set, validated once, secrets never shown.

Values come from the environment, then from ``.env`` beside ``oppman.py``, then from the defaults below.
"""

import difflib
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.db.url import DatabaseUrl, resolve
from app.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
ENV_FILE = ROOT / ".env"

DEVELOPMENT_SECRET = "insecure-development-secret-of-this-repository"
SECRET_LENGTH = 32  # characters, at least, in production

# Secrets that anybody can look up: this repository's and its relatives'.
PUBLISHED_SECRETS = (DEVELOPMENT_SECRET, "changethis", "change-me", "changeme", "your-secret-key", "dev_secret_key")


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
    max_body_bytes: int = Field(1_048_576, ge=1024)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # The database
    database_url: SecretStr = Field(
        SecretStr("sqlite+aiosqlite:///./app.db"), examples=["postgresql://user:password@localhost:5432/fastopp"]
    )
    database_pool_size: int = Field(10, ge=1, le=1000)
    database_pool_timeout_seconds: float = Field(2, gt=0, le=600)
    database_connect_timeout_seconds: float = Field(5, gt=0, le=600)
    database_statement_timeout_seconds: float = Field(15, gt=0, le=86_400)
    database_lock_timeout_seconds: float = Field(5, gt=0, le=86_400)
    database_idle_in_transaction_timeout_seconds: float = Field(30, gt=0, le=86_400)

    @field_validator("database_url")
    @classmethod
    def _resolves(cls, value: SecretStr) -> SecretStr:
        resolve(value.get_secret_value())
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if "*" in host.removeprefix("*.") and host != "*":
                raise ValueError("a wildcard stands for whole labels in front")
        return tuple(host.lower() for host in value)

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

    @cached_property
    def database(self) -> DatabaseUrl:
        """Where the data is. A relative SQLite path starts at the project's folder, wherever one stands."""
        return resolve(self.database_url.get_secret_value()).anchored(ROOT)


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
