"""Every URL that people really paste, and any text at all."""

import json
import re
import ssl
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from app.db.url import DRIVERS, DatabaseUrlError, resolve
from app.db.url_parse import PLACEHOLDER
from app.settings import ROOT

CASES = [json.loads(line) for line in (ROOT / "tests/cases/database-urls.jsonl").read_text().splitlines()]


def shown(value: Any) -> Any:  # Any: connect_args hold what drivers take
    if isinstance(value, ssl.SSLContext):
        return f"SSLContext({value.verify_mode.name}, check_hostname={value.check_hostname})"
    return value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_pasted_url_means_what_it_says_or_says_why_not(case: dict[str, Any]) -> None:
    expected = case["expect"]
    if "error" in expected:
        with pytest.raises(DatabaseUrlError) as caught:
            resolve(case["input_url"], driver=case["driver"])
        message = str(caught.value)
        assert expected["error"] in message
        assert "\n" not in message
        assert case.get("secret", "\0") not in message + repr(caught.value)
        assert caught.value.__cause__ is None
    else:
        resolved = resolve(case["input_url"], driver=case["driver"])
        assert resolved.url == make_url(expected["url"])
        assert {key: shown(value) for key, value in resolved.connect_args.items()} == expected["connect_args"]
        assert case.get("secret", "\0") not in repr(resolved)


OWN_CASES = [
    # What is pasted, the driver, and the engine's URL or a part of the message.
    ("`postgres://u:p@h/d`", None, "postgresql+asyncpg://u:p@h:5432/d"),
    ("POSTGRES://u:p@h/d", None, "postgresql+asyncpg://u:p@h:5432/d"),
    ("postgresql+psycopg://u:p@h/d", None, "postgresql+psycopg://u:p@h:5432/d"),
    ("postgresql+psycopg2://u:p@h/d", None, "postgresql+psycopg2://u:p@h:5432/d"),
    ("postgresql://u:p@ss@h/d", None, "postgresql+asyncpg://u:p%40ss@h:5432/d"),
    ("postgresql://u:p/w@h/d", None, "postgresql+asyncpg://u:p%2Fw@h:5432/d"),
    ("postgresql://u:p?w@h/d?sslmode=disable", None, "postgresql+asyncpg://u:p%3Fw@h:5432/d"),
    ("postgresql://u:p#w@h/d", None, "postgresql+asyncpg://u:p%23w@h:5432/d"),
    ("postgresql://u:p:w@h/d", None, "postgresql+asyncpg://u:p%3Aw@h:5432/d"),
    ("postgresql://u:50%@h/d", None, "postgresql+asyncpg://u:50%25@h:5432/d"),
    ("postgresql://u:a+b@h/d", None, "postgresql+asyncpg://u:a+b@h:5432/d"),
    ("postgresql://h/d?user=u&password=a%2Bb+c", None, "postgresql+asyncpg://u:a+b+c@h:5432/d"),
    ("postgresql://u:p@%2Fvar%2Frun/d", None, "postgresql+asyncpg://u:p@/d?host=%2Fvar%2Frun&port=5432"),
    ("postgresql://u:p@front/d?host=back", None, "postgresql+asyncpg://u:p@back:5432/d"),
    ("postgresql://u:p@[::1],h2:1/d", "psycopg", "postgresql+psycopg://u:p@/d?host=%3A%3A1%2Ch2&port=5432%2C1"),
    ("postgresql:///d?service=prod", None, "postgresql+asyncpg:///d"),
    ("postgresql://u:p@h/d?sslrootcert=/ca.pem", "psycopg",
     "postgresql+psycopg://u:p@h:5432/d?sslmode=verify-ca&sslrootcert=%2Fca.pem"),
    ("sqlite://", None, "sqlite+aiosqlite:///:memory:"),
    ("sqlite:////srv/a b.db", None, "sqlite+aiosqlite:////srv/a b.db"),
    ("sqlite:///file:app.db?mode=ro", None, "sqlite+aiosqlite:///file:app.db?mode=ro&uri=true"),
    ("postgresql:///d", None, "names no host"),
    ("postgresql://u:[YOUR-PASSWORD]@h/d", None, "placeholder"),
    ("postgresql://u:<password>@h/d", None, "placeholder"),
    ("postgresql://u:p@h/d?channel_binding=require", "pg8000", "not supported by pg8000"),
    ("postgresql://u:p@h/d?require_auth=scram-sha-256", None, "'require_auth' is not supported by asyncpg"),
    ("postgresql://u:p@h/d?gssencmode=require", None, "gssencmode=require is not supported"),
    ("postgresql://u:p@h/d?sslaccept=strict", None, "sslaccept"),
    ("postgresql://u:p@h/d?sslmode", None, "key=value"),
    ("postgresql://u:p@h/d?schema=a;b", None, "schema must be"),
    ("postgresql://u:%FF@h/d", None, "UTF-8"),
    ("sqlite:///x.db?cahce=shared", None, "did you mean cache?"),
    ("sqlite:///x.db", "asyncpg", "not for sqlite"),
    ("postgresql://u:p@h/d" + "x" * 8192, None, "longer than 8192"),
    ("postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=/nowhere.pem", "pg8000", "TLS file cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("pasted", "driver", "expected"), OWN_CASES, ids=[case[0][:60] for case in OWN_CASES])
def test_more_of_them(pasted: str, driver: str | None, expected: str) -> None:
    if "://" in expected:
        assert resolve(pasted, driver=driver).url == make_url(expected)
    else:
        with pytest.raises(DatabaseUrlError, match=re.escape(expected)):
            resolve(pasted, driver=driver)


@pytest.mark.parametrize(
    ("pasted", "pooled", "expected"),
    [
        ("postgresql://u:p@h:6432/d", None, True),
        ("postgresql://u:p@h:6432/d", False, False),
        ("postgresql://u:p@ep-x-pooler.eu.neon.tech/d", None, True),
        ("postgresql://u:p@pgbouncer.x.flympg.net/d", None, True),
        ("postgresql://u:p@h/d?pgbouncer=true", None, True),
        ("postgresql://u:p@h/d?statement_cache_size=0", None, True),
        ("postgresql://u:p@aws-0-eu.pooler.supabase.com:5432/d", None, False),
        ("postgresql://u:p@h:6438/d", None, False),
        ("postgresql://u:p@h:6438/d", True, True),
    ],
)
def test_a_pooler_is_guessed_or_said(pasted: str, pooled: bool | None, expected: bool) -> None:
    resolved = resolve(pasted, pooled=pooled)
    off = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    assert resolved.pooled is expected
    assert (off.items() <= resolved.connect_args.items()) is expected
    psycopg = resolve(pasted, driver="psycopg", pooled=pooled)
    assert ("prepare_threshold" in psycopg.connect_args) is expected


def test_the_password_of_a_key_is_shown_nowhere() -> None:
    for driver in ("asyncpg", "psycopg", "psycopg2"):
        resolved = resolve("postgresql://u@h/d?sslpassword=canary&password=canary", driver=driver)
        assert "canary" not in f"{resolved} {resolved.url}"
        assert resolved.url.password == "canary"


def test_sslmode_true_for_every_driver_means_require() -> None:
    assert resolve("postgresql://u@h/d?ssl=true").connect_args == {"dsn": "postgresql://?sslmode=require"}
    assert resolve("postgresql://u@h/d?ssl=true", driver="psycopg").url.query == {"sslmode": "require"}
    context = resolve("postgresql://u@h/d?ssl=true", driver="pg8000").connect_args["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


# Text that comes close to a URL finds more than random text does.
PARTS = st.sampled_from(
    ["://", "@", ":", "/", "?", "&", "=", "%", "[", "]", ",", "#", "sslmode", "host", "postgresql", "%40"]
)
PASSWORD = "cAnArY-7q"
NEARLY = st.lists(st.one_of(PARTS, st.text(max_size=5), st.just(PASSWORD)), max_size=12).map("".join)


@settings(max_examples=600, deadline=None)
@given(text=st.one_of(st.text(), NEARLY.map("postgresql://".__add__)), driver=st.sampled_from([None, *DRIVERS]))
@example(text="postgresql://" + "?a" * 4000, driver=None)
@example(text="postgresql://" + "@" * 8000, driver=None)
@example(text="postgresql://h" + "/" * 8000 + "@", driver=None)
@example(text="postgresql://" + "[" * 8000, driver=None)
@example(text="postgresql://u:p@" + "ü" * 8000, driver=None)
@example(text="postgresql://" + "<" * 8000, driver=None)
@example(text="postgresql://h/d?" + "&" * 8000, driver=None)
def test_any_text_gives_a_url_or_one_line(text: str, driver: str | None) -> None:
    said = ""
    try:
        assert resolve(text, driver=driver).url.get_backend_name() in ("postgresql", "sqlite")
    except DatabaseUrlError as error:
        said = f"{error} {error!r} {error.__cause__} {error.__context__}"
    assert "\n" not in said
    assert PASSWORD not in said


@settings(max_examples=200, deadline=None)
@given(password=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_an_encoded_password_comes_back(password: str) -> None:
    if PLACEHOLDER.search(password):
        return
    assert resolve(f"postgresql://u:{quote(password, safe='')}@h/d").url.password == password


@settings(max_examples=200, deadline=None)
@given(password=st.text("abcXYZ09-_.!~*'()$&+,;= :/?#@%", min_size=1, max_size=20))
def test_a_raw_password_is_taken_as_it_is_or_refused(password: str) -> None:
    """Never read as something else: not the host, not another password."""
    try:
        url = resolve(f"postgresql://u:{password}@h.example/d").url
    except DatabaseUrlError:
        return
    assert url.password == unquote(password)
    assert (url.host, url.database, dict(url.query)) == ("h.example", "d", {})
