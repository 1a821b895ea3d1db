from pathlib import Path
from urllib.parse import quote

import pytest
from databases import settings_for

from app.settings import DEVELOPMENT_SECRET, ROOT, Settings, SettingsError, load_settings

CANARY = "canary-9d41"
GOOD_SECRET = "k2-Zp8vQ1mXw7RtY4nBc6LhJ3fGd5SaE0uIoV9xK"
PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": GOOD_SECRET, "ALLOWED_HOSTS": "example.com"}


@pytest.fixture(autouse=True)
def no_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_the_defaults_are_a_development_on_sqlite() -> None:
    settings = load_settings()
    assert settings.environment == "development"
    assert settings.database.url.render_as_string() == f"sqlite+aiosqlite:///{ROOT}/app.db"


@pytest.mark.parametrize("text", ["a.example,B.example", '["a.example", "b.example"]', " a.example , b.example ,"])
def test_a_list_is_json_or_separated_by_commas(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert load(monkeypatch, ALLOWED_HOSTS=text).allowed_hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", f"{CANARY}", ["valid integer", "PORT=8000"]),
        ("PORT", "70000", ["less than or equal to 65535", "PORT=8000"]),
        ("ENVIRONMENT", CANARY, ["'development' or 'production'", "ENVIRONMENT=development"]),
        ("DEBUG", CANARY, ["valid boolean", "DEBUG=false"]),
        ("ALLOWED_HOSTS", f"[{CANARY}", ["not a list", "ALLOWED_HOSTS=example.com,*.example.com"]),
        ("ALLOWED_HOSTS", f"{CANARY}.*.example", ["wildcard", "ALLOWED_HOSTS="]),
        ("ALLOWED_HOSTS", "https://example.com", ["without scheme"]),
        ("ALLOWED_HOSTS", "example.com:8000", ["without scheme"]),
        ("ALLOWED_HOSTS", "*.", ["without scheme"]),
        ("MIGRATION_DATABASE_URL", f"mysql://u:{CANARY}@h/d", ["MIGRATION_DATABASE_URL=postgresql://"]),
        ("DATABASE_POOLED", "perhaps", ["DATABASE_POOLED=auto"]),
        ("DATABASE_URL", "", ["is empty", "DATABASE_URL=postgresql://"]),
        ("DATABASE_URL", f"mysql://u:{CANARY}@h/d", ["DATABASE_URL=postgresql://"]),
        ("DATABASE_URL", f"postgresql://u:{CANARY}@h:port/d", ["DATABASE_URL=postgresql://"]),
        ("PUBLIC_URL", f"ftp://{CANARY}", ["http or https", "PUBLIC_URL=https://example.com"]),
        ("PUBLIC_URL", f"https://u:{CANARY}@h", ["http or https"]),
        ("SMTP_URL", f"http://u:{CANARY}@h", ["smtp://user:password@host:port", "SMTP_URL=smtps://"]),
        ("RATE_LIMIT_URL", f"mysql://u:{CANARY}@h", ["memory:// or a redis://", "RATE_LIMIT_URL=redis://"]),
        ("SESSION_DAYS", "0", ["greater than or equal to 1", "SESSION_DAYS=14"]),
        ("DATABASE_POOL_SIZE", "0", ["greater than or equal to 1", "DATABASE_POOL_SIZE=10"]),
    ],
)
def test_a_wrong_value_is_one_line_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert CANARY not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"DATABASE_ULR={CANARY}", "DATABASE_ULR in .env is not a setting: did you mean DATABASE_URL?"),
        ("PORT=1\nDATABASE_URL postgresql://u:p@h/d", "line 2 of .env is not NAME=value: correct or remove it"),
        ("PORT", "line 1 of .env is not NAME=value: correct or remove it"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / ".env").write_text(content)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == message


def test_a_value_in_the_file_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a comment\n\nexport APP_NAME=${HOME} $HOME\nPORT=1\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    settings = load(monkeypatch, PORT="2")
    assert (settings.app_name, settings.port) == ("${HOME} $HOME", 2)


def test_migrations_may_have_a_url_of_their_own() -> None:
    settings = settings_for("postgresql+psycopg2://u:p@h:6432/d", migration_database_url="postgresql+pg8000://o:p@h/d")
    assert (settings.database.driver, settings.database.pooled) == ("asyncpg", True)
    assert (settings.migration_database.driver, settings.migration_database.url.username) == ("pg8000", "o")
    assert settings.database_url_sync.driver == "psycopg"
    assert settings_for("sqlite:///x.db").database_url_sync.url.drivername == "sqlite+pysqlite"
    same = settings_for("postgresql://u:p@h/d", migration_database_url="")
    assert same.migration_database == same.database


def test_a_relative_path_starts_at_the_project() -> None:
    assert settings_for("sqlite:///./x.db").database.url.database == f"{ROOT}/x.db"
    for url in ("sqlite:///x.db?mode=ro", "sqlite:///file:x.db"):
        assert settings_for(url).database.url.database == f"file:{quote(str(ROOT))}/x.db"
    assert settings_for("sqlite:////srv/x.db").database.url.database == "/srv/x.db"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("SECRET_KEY", DEVELOPMENT_SECRET, "published"),
        ("SECRET_KEY", f"changethis-{GOOD_SECRET}", "published"),
        ("SECRET_KEY", GOOD_SECRET[:31], "32 random characters"),
        ("SECRET_KEY", "a" * 64, "32 random characters"),
        ("DEBUG", "true", "DEBUG must be false"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS"),
    ],
)
def test_production_refuses_what_is_unsafe(monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str) -> None:
    with pytest.raises(SettingsError, match="ENVIRONMENT=production refuses to start") as caught:
        load(monkeypatch, **{**PRODUCTION, name: value})
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_production_starts_with_safe_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, **PRODUCTION).environment == "production"


def test_no_secret_is_shown() -> None:
    settings = settings_for(f"postgresql://u:{CANARY}@h/d", secret_key=CANARY)
    shown = f"{settings!r} {settings} {settings.database!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert CANARY not in shown


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"PORT": "8123"}, "http://127.0.0.1:8123"),
        ({"PUBLIC_URL": "https://a.example/app/"}, "https://a.example/app"),
        (PRODUCTION, "https://example.com"),
        (PRODUCTION | {"ALLOWED_HOSTS": "*.b.example,a.example"}, "https://a.example"),
    ],
)
def test_links_begin_where_people_come(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], url: str) -> None:
    assert load(monkeypatch, **values).base_url == url


def test_redis_wants_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.settings.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="uv sync --inexact --extra redis"):
        load(monkeypatch, RATE_LIMIT_URL=f"redis://:{CANARY}@localhost")
