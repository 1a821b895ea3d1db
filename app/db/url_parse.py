"""A PostgreSQL URL taken apart: as libpq reads it, and more forgiving where only one reading is possible.

Every pattern here takes time in proportion to the text.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn
from urllib.parse import unquote

from app.errors import UserError

DEFAULT_PORT = 5432
MAX_PARAMETERS = 100

PERCENT_ENCODE = "cannot be read: percent-encode special characters in the password (@ is %40, / is %2F, : is %3A)"
PLACEHOLDER = re.compile(
    r"\$\{[^}]{0,80}\}|\{\{[^}]{0,80}\}\}|<[\w -]{1,80}>|\[[\w -]{0,40}pass[\w -]{0,40}\]", re.IGNORECASE
)


class DatabaseUrlError(UserError, ValueError):
    """One line: what is wrong with the URL and the way out, never a part of it that may be secret."""


@dataclass(frozen=True)
class Target:
    """A PostgreSQL URL taken apart and decoded."""

    user: str | None
    password: str | None
    hosts: tuple[tuple[str, int | None], ...]  # a name, an address, or the folder of a socket; a port
    database: str | None
    parameters: dict[str, str]


def parse(rest: str, known: frozenset[str]) -> Target:
    """A PostgreSQL URL without its scheme.

    Errors: DatabaseUrlError, also for a parameter that is not among the known.
    """
    # A query begins at the first "?" that a key and "=" follow: others may stand in a password.
    match = re.search(r"\?(?=[A-Za-z_][\w.-]*=|[\w.-]*$)", rest)
    location, query = (rest[: match.start()], rest[match.end() :]) if match else (rest, "")
    userinfo, hosts, database = _split(location)
    user, _, password = userinfo.partition(":")
    target = Target(
        user=decode(user) or None,
        password=decode(password) if ":" in userinfo else None,
        hosts=_hosts(hosts),
        database=decode(database) or None,
        parameters=parameters_of(query, known),
    )
    target = _moved_from_query(target)
    for value in (target.user, target.password, target.database, *(host for host, _ in target.hosts)):
        if value and PLACEHOLDER.search(value):
            raise DatabaseUrlError("still holds a placeholder: put the real value in its place")
    if not target.hosts and "service" not in target.parameters:
        raise DatabaseUrlError(
            "names no host: write postgresql://user:password@host:5432/name, or ?host=/socket/folder"
        )
    return target


def _split(location: str) -> tuple[str, str, str]:
    """User and password, hosts, database. "@" and "/" in the password are taken where only one reading is possible."""
    slash = location.find("/")
    slash = len(location) if slash < 0 else slash
    early, late = location.rfind("@", 0, slash), location.rfind("@")
    plain = location[: max(early, 0)], location[early + 1 : slash], location[slash + 1 :]
    if late <= slash:
        return plain
    hosts, _, database = location[late + 1 :].partition("/")
    in_password = location[:late], hosts, database
    readings = [reading for reading in (plain, in_password) if _may_be_hosts(reading[1])]
    if len(readings) != 1:
        raise DatabaseUrlError(PERCENT_ENCODE)
    return readings[0]


def _may_be_hosts(text: str) -> bool:
    return all(re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^\s@/?#:\[\]]+)(:[0-9]*)?", part) for part in text.split(","))


def _hosts(text: str) -> tuple[tuple[str, int | None], ...]:
    return tuple(_host(part) for part in text.split(",")) if text else ()


def _host(part: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", part)
    if not match or re.search(r"[\s@/?#\\]", match[1]):
        raise DatabaseUrlError(PERCENT_ENCODE)
    name, port = match[1], match[2]
    if name.startswith("["):
        return name[1:-1], _port(port)
    return _host_name(decode(name)), _port(port)


def _host_name(name: str) -> str:
    if name.startswith("/"):
        return name
    try:
        # The length first: encoding a long name takes the square of it.
        ascii_name = name if name.isascii() else name[:254].encode("idna").decode()
    except UnicodeError:
        ascii_name = ""
    if PLACEHOLDER.search(name):
        return name
    if not re.fullmatch(r"[A-Za-z0-9_:%-][A-Za-z0-9._:%-]{0,252}", ascii_name) or ".." in ascii_name:
        raise DatabaseUrlError("host name is not valid: check what stands behind the @")
    return ascii_name


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise DatabaseUrlError(
            "port must be a number from 1 to 65535; if that is a part of the password, percent-encode it (: is %3A)"
        )
    return int(text)


def parameters_of(query: str, known: frozenset[str]) -> dict[str, str]:
    """As libpq reads them: the last one wins, and "+" is no blank."""
    pieces = [piece for piece in query.split("&") if piece]
    if len(pieces) > MAX_PARAMETERS or any("=" not in piece for piece in pieces):
        raise DatabaseUrlError(f"must have parameters as key=value, joined by &, {MAX_PARAMETERS} at most")
    parameters = {}
    for piece in pieces:
        key, _, value = piece.partition("=")
        if key not in known:
            _refuse_unknown(key, known)
        parameters[key] = decode(value)
    return parameters


def _refuse_unknown(key: str, known: frozenset[str]) -> NoReturn:
    # A password with "?" or "&" in it ends up here: only what nearly is a known name is repeated.
    near = get_close_matches(key[:40], known, n=1, cutoff=0.8)
    if near:
        raise DatabaseUrlError(f"unknown parameter '{key}': did you mean {near[0]}?")
    raise DatabaseUrlError(
        "unknown parameter: check what stands behind the ?, and percent-encode ? in a password (%3F)"
    )


def decode(text: str) -> str:
    # A "%" that no two hexadecimal digits follow is taken as it is.
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise DatabaseUrlError("has escapes that are not UTF-8: percent-encode a single % as %25") from None
    if "\0" in decoded:
        raise DatabaseUrlError("host name is not valid, or another part: it holds %00")
    return decoded


def _moved_from_query(target: Target) -> Target:
    """In libpq a parameter wins over the same thing in front. A password must not stay in the query: it is shown."""
    parameters = dict(target.parameters)
    sockets = parameters.pop("unix_sock", None)
    if sockets is not None:
        folder, found, port = sockets.rpartition("/.s.PGSQL.")
        if not found:
            raise DatabaseUrlError("unix_sock must end in /.s.PGSQL.5432, or give the folder as ?host=/folder")
        parameters |= {"host": folder, "port": port}
    hosts = target.hosts
    port_text = parameters.pop("port", "")
    if "host" in parameters:
        hosts = tuple((_host_name(name), None) for name in parameters.pop("host").split(",") if name)
    if port_text:
        ports = [_port(port) for port in port_text.split(",")]
        if len(ports) not in (1, len(hosts)):
            raise DatabaseUrlError("port must be given once, or once for each host")
        hosts = tuple((name, ports[number % len(ports)]) for number, (name, _) in enumerate(hosts))
    return Target(
        user=parameters.pop("user", target.user),
        password=parameters.pop("password", target.password),
        hosts=hosts,
        database=parameters.pop("dbname", target.database),
        parameters=parameters,
    )
