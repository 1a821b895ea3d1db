"""What went wrong with the database, in words that are safe to show.

DatabaseUnavailable   the same request may well succeed later
"""

import re
import ssl
from socket import gaierror

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import UserError, failures

SCHEMA = ("missing", "its schema is not what the code wants: run oppman.py migrate upgrade")
REFUSED = ("refused", "nothing answers at its address: is the server up, are host and port right?")
SILENT = ("timeout", "it does not answer in time: is a firewall in between, is the host right?")
UNKNOWN_HOST = ("dns", "its host name is not known: check the spelling, and that this network may resolve it")
LOGIN = ("auth", "the user name or the password is not accepted: percent-encode special characters in the URL")
NO_DATABASE = ("missing", "there is no database of that name: create it, or correct the end of the URL")
NO_TLS = ("tls", "the server has no TLS: write sslmode=disable if the network is yours alone, or switch it on there")
BAD_CERTIFICATE = ("tls", "its certificate is not accepted: check host name and sslrootcert (system for public CAs)")
NO_ROOT = ("tls", "the root certificate is not found: give sslrootcert=/path/of/ca.pem, or sslrootcert=system")
CLIENT_CERTIFICATE = ("tls", "the server wants another client certificate, or none at all: check sslcert and sslkey")
LOST = ("lost", "the connection broke")

# https://www.postgresql.org/docs/current/errcodes-appendix.html
STATES = {
    "08": LOST,
    "25006": ("refused", "the server takes no writes: is it a standby?"),
    "25P03": ("timeout", "the transaction was idle for too long"),
    "28": LOGIN,
    "3D": NO_DATABASE,
    "42501": ("auth", "this user may not do that: grant it, or migrate as the owner (MIGRATION_DATABASE_URL)"),
    "42703": SCHEMA,
    "42P01": SCHEMA,
    "53": ("busy", "the server has no room left: fewer connections, or more disk"),
    "55P03": ("busy", "a lock was not had in time"),
    "57": ("lost", "the server stopped, or stopped the work"),
    "57014": ("timeout", "the statement took too long"),
}

# What SQLite and libpq say has no code.
TEXTS = {
    "no such table": SCHEMA,
    "no such column": SCHEMA,
    "database is locked": ("busy", "another process holds the database file"),
    "unable to open database file": (
        "missing", "the folder of the database file is missing, or may not be written; or it is a folder itself",
    ),
    "readonly database": ("refused", "the database file or its folder may not be written"),
    "disk is full": ("busy", "the disk is full"),
    "disk I/O error": ("lost", "the disk fails, or the folder of the database file may not be written"),
    "file is not a database": ("missing", "the file is not a SQLite database"),
    "image is malformed": ("missing", "the database file is damaged: restore a backup"),
    "certificate verify failed|does not match host name|certificate is not valid": BAD_CERTIFICATE,
    "root certificate file|certificate file .* does not exist": NO_ROOT,
    "certificate required|alert unknown ca|bad certificate|requires a valid client certificate": CLIENT_CERTIFICATE,
    "does not support SSL|rejected SSL upgrade|SSL was required|doesn't support SSL|refuses SSL": NO_TLS,
    "SSL error|tlsv1 alert|ssl/tls alert": ("tls", "TLS failed: do both sides allow a common version?"),
    "no pg_hba.conf entry": ("auth", "the server does not let this user in from here, or wants TLS (pg_hba.conf)"),
    "password authentication failed|no password supplied|SASL authentication": LOGIN,
    r'database ".*" does not exist': NO_DATABASE,
    r'role ".*" does not exist': LOGIN,
    "failed to resolve host|could not translate host name|Name or service not known": UNKNOWN_HOST,
    "timeout expired|timed out": SILENT,
    "onnection refused|No such file or directory|Can't create a connection": REFUSED,
    "session is read-only|server is in hot standby|target_session_attrs|none of the hosts match": (
        "refused", "no server is of the kind that target_session_attrs asks for",
    ),
    "starting up|shutting down|not accepting connections|in recovery mode": ("lost", "the server starts or stops"),
    "unsupported startup parameter": ("refused", "a pooler in between refuses settings: write DATABASE_POOLED=true"),
    "too many connections|too many clients|remaining connection slots": ("busy", "the server takes no more of them"),
    "server closed the connection|connection was closed|onnection reset|network error": LOST,
}  # fmt: skip


class DatabaseUnavailable(UserError):
    """The database cannot work now; the message says why, in one line, and holds no secret."""

    exit_code = 8

    def __init__(self, message: str, kind: str = "lost") -> None:
        super().__init__(message)
        self.kind = kind

    @classmethod
    def from_error(cls, error: Exception) -> "DatabaseUnavailable":
        return unavailable(error) or cls(f"the database is away: {type(error).__name__}")


def unavailable(error: Exception) -> DatabaseUnavailable | None:
    """That error as DatabaseUnavailable, or None where the work itself was at fault and will fail again."""
    found = _classify(error)
    if found is None:
        return None
    kind, why = found
    failures[kind] += 1
    return DatabaseUnavailable(f"the database is away: {why}", kind)


def names_what_is_not_there(error: Exception) -> bool:
    """A table or a column: for the service its schema is behind, for a migration its own SQL is wrong."""
    return isinstance(error, DBAPIError) and _classify(error) == SCHEMA


def _classify(error: Exception) -> tuple[str, str] | None:
    if isinstance(error, DatabaseUnavailable):
        return error.kind, str(error).removeprefix("the database is away: ")
    if isinstance(error, PoolTimeout):
        return "busy", "all connections of the pool are busy"
    if isinstance(error, DBAPIError):
        return _by_state(error) or _by_text(str(error.orig)) or (LOST if _broke(error) else None)
    if isinstance(error, ssl.SSLCertVerificationError):
        return BAD_CERTIFICATE
    if isinstance(error, TimeoutError):
        return SILENT
    if isinstance(error, gaierror):
        return UNKNOWN_HOST
    if isinstance(error, OSError):
        return _by_text(str(error)) or (("tls", "TLS failed") if isinstance(error, ssl.SSLError) else REFUSED)
    return None


def _by_state(error: DBAPIError) -> tuple[str, str] | None:
    state = getattr(error.orig, "sqlstate", None) or ""
    if state[:2] in ("08", "28"):  # wrong password, wrong certificate, a pooler's refusal: the text knows more
        return _by_text(str(error.orig)) or STATES[state[:2]]
    return STATES.get(state) or STATES.get(state[:2])


def _by_text(text: str) -> tuple[str, str] | None:
    return next((found for pattern, found in TEXTS.items() if re.search(pattern, text, re.IGNORECASE)), None)


def _broke(error: DBAPIError) -> bool:
    return error.connection_invalidated or isinstance(error, InterfaceError)
