"""What each PostgreSQL driver makes of libpq's parameters.

What concerns security is kept, made stricter, or refused: never dropped.
"""

import re
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from app.db.url_parse import DEFAULT_PORT, DatabaseUrlError, Target

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SSL_WORDS = {"true": "require", "1": "require", "false": "disable", "0": "disable", "no-verify": "require"}
TLS_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
TLS_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")

# libpq's, by what becomes of them where the driver is not libpq.
TLS = ("sslmode", *TLS_FILES, "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version", "sslnegotiation")
SESSION = ("application_name", "client_encoding", "options")
HARMLESS = (  # without them a connection is a little slower to notice, or to make
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "gssencmode",
    "sslsni", "sslcompression", "sslcertmode", "load_balance_hosts", "gssdelegation",
)  # fmt: skip
ASYNCPG_TOO = ("service", "target_session_attrs", "passfile", "krbsrvname", "gsslib")
LIBPQ_ONLY = (
    "hostaddr", "require_auth", "requirepeer", "sslcrldir", "min_protocol_version", "max_protocol_version",
    "replication",
)  # fmt: skip
# Of other programs, and of the drivers themselves.
FOREIGN = ("pgbouncer", "connection_limit", "pool_timeout", "supa", "schema", "sslaccept", "uselibpqcompat", "ssl")
TUNING = ("statement_cache_size", "prepared_statement_cache_size", "command_timeout", "prepare_threshold")
MOVED = ("host", "port", "user", "password", "dbname", "unix_sock", "fallback_application_name")

KNOWN = frozenset(
    (
        *TLS,
        *SESSION,
        *HARMLESS,
        *ASYNCPG_TOO,
        *LIBPQ_ONLY,
        *FOREIGN,
        *TUNING,
        *MOVED,
        "channel_binding",
        "connect_timeout",
    )
)

Arguments = tuple[dict[str, str], dict[str, Any]]  # the URL's query, and connect_args (Any: the driver's own)


def translate(driver: str, target: Target, *, pooled: bool) -> Arguments:
    """The query and connect_args that mean the same to that driver.

    Errors: DatabaseUrlError.
    """
    parameters = _common(dict(target.parameters))
    query, arguments = TRANSLATORS[driver](target, parameters)
    return query, arguments | (without_prepared_statements(driver) if pooled else {})


def without_prepared_statements(driver: str) -> dict[str, Any]:  # Any: the driver's own arguments
    if driver == "asyncpg":
        # Both: with one alone SQLAlchemy or asyncpg keeps descriptions of results that somebody else has changed.
        return {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    return {"prepare_threshold": None} if driver == "psycopg" else {}


def _common(parameters: dict[str, str]) -> dict[str, str]:
    """Foreign words in libpq's terms, and libpq's own checked."""
    for name in ("pgbouncer", "connection_limit", "pool_timeout", "supa", "uselibpqcompat"):
        parameters.pop(name, None)
    if "sslaccept" in parameters:
        raise DatabaseUrlError("'sslaccept' is Prisma's: write sslmode=verify-full, or sslmode=require without a check")
    if "ssl" in parameters:
        parameters.setdefault("sslmode", parameters["ssl"])
        del parameters["ssl"]
    if "sslmode" in parameters:
        parameters["sslmode"] = SSL_WORDS.get(parameters["sslmode"], parameters["sslmode"])
        if parameters["sslmode"] not in SSL_MODES:
            raise DatabaseUrlError(f"sslmode must be one of {', '.join(SSL_MODES)}")
    _check_choice(parameters, "channel_binding", ("disable", "prefer", "require"))
    for name in ("ssl_min_protocol_version", "ssl_max_protocol_version"):
        _check_choice(parameters, name, tuple(TLS_VERSIONS))
    _use_schema(parameters)
    _verify_with_roots(parameters)
    fallback = parameters.pop("fallback_application_name", None)
    if fallback:
        parameters.setdefault("application_name", fallback)
    return parameters


def _check_choice(parameters: dict[str, str], name: str, choices: tuple[str, ...]) -> None:
    if parameters.get(name, choices[0]) not in choices:
        raise DatabaseUrlError(f"{name} must be one of {', '.join(choices)}")


def _use_schema(parameters: dict[str, str]) -> None:
    schema = parameters.pop("schema", "public")
    if schema == "public":
        return
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", schema):
        raise DatabaseUrlError("schema must be a plain name: set another one with ALTER ROLE … SET search_path")
    options = parameters.get("options")
    parameters["options"] = " ".join(filter(None, (options, f"-csearch_path={schema}")))


def _verify_with_roots(parameters: dict[str, str]) -> None:
    mode, roots = parameters.get("sslmode"), parameters.get("sslrootcert")
    if roots == "system":
        if (mode or "verify-full") != "verify-full":
            raise DatabaseUrlError("sslrootcert=system needs sslmode=verify-full")
        parameters["sslmode"] = "verify-full"
    elif roots and mode is None:
        # libpq would try, and go on in plain text where the certificate does not fit. Who names a root wants it used.
        parameters["sslmode"] = "verify-ca"


def _asyncpg(target: Target, parameters: dict[str, str]) -> Arguments:
    _refuse("asyncpg", parameters, LIBPQ_ONLY)
    _drop_harmless(parameters)
    arguments = _numbers(
        parameters,
        {"connect_timeout": ("timeout", float), "command_timeout": ("command_timeout", float),
         "statement_cache_size": ("statement_cache_size", int),
         "prepared_statement_cache_size": ("prepared_statement_cache_size", int)},
    )  # fmt: skip
    parameters.pop("prepare_threshold", None)
    if not arguments.get("timeout", 1):
        del arguments["timeout"]  # 0 is libpq's way to say no limit
    if parameters.pop("channel_binding", None) == "require":
        # asyncpg cannot bind the login to the TLS channel; a verified certificate keeps the same attacker out.
        parameters["sslmode"] = "verify-full"
        parameters.setdefault("sslrootcert", "system")
    if parameters.get("sslrootcert") == "system":
        arguments["ssl"] = _context(parameters)
        for name in (*TLS_FILES, "sslmode", "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version"):
            parameters.pop(name, None)
    if parameters:
        # As a DSN: asyncpg then reads TLS as libpq does. Host, user and password stay in the URL.
        joined = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        arguments["dsn"] = f"postgresql://?{joined}"
    return {}, arguments


def _libpq(target: Target, parameters: dict[str, str]) -> Arguments:
    """psycopg and psycopg2: libpq itself reads the rest."""
    arguments: dict[str, Any] = {}
    for name in ("statement_cache_size", "prepared_statement_cache_size", "command_timeout"):
        parameters.pop(name, None)
    if "sslpassword" in parameters:
        arguments["sslpassword"] = parameters.pop("sslpassword")  # SQLAlchemy shows the query, not these
    _numbers(dict(parameters), {"connect_timeout": ("connect_timeout", int)})
    return parameters, arguments


def _psycopg(target: Target, parameters: dict[str, str]) -> Arguments:
    threshold = _numbers(parameters, {"prepare_threshold": ("prepare_threshold", int)})
    query, arguments = _libpq(target, parameters)
    return query, arguments | threshold


def _psycopg2(target: Target, parameters: dict[str, str]) -> Arguments:
    parameters.pop("prepare_threshold", None)
    return _libpq(target, parameters)


def _pg8000(target: Target, parameters: dict[str, str]) -> Arguments:
    if len(target.hosts) > 1:
        raise DatabaseUrlError("several hosts are not supported by pg8000: use asyncpg or psycopg")
    for name in TUNING:
        parameters.pop(name, None)
    if parameters.get("target_session_attrs") == "any":
        del parameters["target_session_attrs"]
    if parameters.pop("channel_binding", None) == "require":
        raise DatabaseUrlError("channel_binding=require is not supported by pg8000: use postgresql+psycopg://")
    _refuse("pg8000", parameters, (*ASYNCPG_TOO, *LIBPQ_ONLY, "sslnegotiation"))
    _drop_harmless(parameters)
    arguments = _numbers(parameters, {"connect_timeout": ("timeout", int)})
    host, port = target.hosts[0]
    if host.startswith("/"):
        arguments["unix_sock"] = f"{host}/.s.PGSQL.{port or DEFAULT_PORT}"
        arguments["ssl_context"] = False
    elif parameters.get("sslmode") == "disable":
        arguments["ssl_context"] = False
    elif parameters.get("sslmode") not in (None, "allow", "prefer"):
        arguments["ssl_context"] = _context(parameters)
    if "application_name" in parameters:
        arguments["application_name"] = parameters["application_name"]
    startup = {name: parameters[name] for name in ("options", "client_encoding") if name in parameters}
    if startup:
        arguments["startup_params"] = startup
    return {}, arguments


TRANSLATORS: dict[str, Callable[[Target, dict[str, str]], Arguments]] = {
    "asyncpg": _asyncpg,
    "psycopg": _psycopg,
    "psycopg2": _psycopg2,
    "pg8000": _pg8000,
}


def _refuse(driver: str, parameters: dict[str, str], names: tuple[str, ...]) -> None:
    for name in names:
        if name in parameters:
            raise DatabaseUrlError(
                f"'{name}' is not supported by {driver}: leave it out, or use the driver that has it, postgresql+psycopg://"
            )


def _drop_harmless(parameters: dict[str, str]) -> None:
    for name in ("gssencmode", "sslcertmode"):
        if parameters.get(name) == "require":
            raise DatabaseUrlError(f"{name}=require is not supported by this driver: use postgresql+psycopg://")
    for name in HARMLESS:
        parameters.pop(name, None)


def _numbers(parameters: dict[str, str], wanted: dict[str, tuple[str, type[int] | type[float]]]) -> dict[str, Any]:
    found = {}
    for name, (argument, kind) in wanted.items():
        text = parameters.pop(name, None)
        if text is not None:
            if not re.fullmatch(r"[0-9]{1,9}", text):
                raise DatabaseUrlError(f"{name} must be a whole number")
            found[argument] = kind(text)
    return found


def _context(parameters: dict[str, str]) -> ssl.SSLContext:
    """TLS in Python's terms.

    Not create_default_context(): newer Pythons make it refuse certificates that libpq takes.
    """
    mode, roots = parameters.get("sslmode", "prefer"), parameters.get("sslrootcert")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    verifies = mode.startswith("verify") or bool(roots)  # libpq: require with a root verifies the chain
    context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
    if verifies and not roots:
        raise DatabaseUrlError(f"sslmode={mode} needs sslrootcert: the path of the CA's certificate, or system")
    try:
        if roots == "system":
            context.load_default_certs()
        elif roots:
            context.load_verify_locations(roots)
        if "sslcrl" in parameters:
            context.load_verify_locations(parameters["sslcrl"])
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        if "sslcert" in parameters:
            password = parameters.get("sslpassword", "")  # never None: OpenSSL would ask at the terminal
            context.load_cert_chain(parameters["sslcert"], parameters.get("sslkey"), lambda: password)
    except (OSError, ValueError):
        raise DatabaseUrlError(
            "a TLS file cannot be read: check the paths of sslrootcert, sslcert, sslkey, sslcrl"
        ) from None
    context.minimum_version = TLS_VERSIONS[parameters.get("ssl_min_protocol_version", "TLSv1.2")]
    if "ssl_max_protocol_version" in parameters:
        context.maximum_version = TLS_VERSIONS[parameters["ssl_max_protocol_version"]]
    return context
