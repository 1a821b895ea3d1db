"""What went wrong with the database, in words that are safe to show.

DatabaseUnavailable   the same request may well succeed later
"""

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.errors import UserError

# https://www.postgresql.org/docs/current/errcodes-appendix.html
STATES = {
    "08": "the connection broke",
    "25006": "the server takes no writes (a standby?)",
    "25P03": "the transaction was idle for too long",
    "28": "the user name or the password is not accepted",
    "3D": "there is no database of that name",
    "42501": "this user may not do that",
    "42703": "its schema is not what the code wants: run oppman.py migrate upgrade",
    "42P01": "its schema is not what the code wants: run oppman.py migrate upgrade",
    "53": "the server has no room left",
    "55P03": "a lock was not had in time",
    "57": "the server stopped, or stopped the work",
    "57014": "the statement took too long",
}
SQLITE = {
    "no such table": STATES["42P01"],
    "no such column": STATES["42703"],
    "database is locked": "another process holds the database file",
    "unable to open database file": "the folder of the database file is missing, or may not be entered or written",
    "readonly database": "the database file or its folder may not be written",
    "disk is full": "the disk is full",
    "disk I/O error": "the disk fails, or the folder of the database file may not be written",
    "file is not a database": "the file is not a SQLite database",
    "malformed": "the database file is damaged: restore a backup",
}


class DatabaseUnavailable(UserError):
    """The database cannot work now; the message says why, in one line, and holds no secret."""

    @classmethod
    def from_error(cls, error: Exception) -> "DatabaseUnavailable":
        return unavailable(error) or cls(type(error).__name__)


def unavailable(error: Exception) -> DatabaseUnavailable | None:
    """That error as DatabaseUnavailable, or None where the work itself was at fault and will fail again."""
    why = _reason(error)
    return DatabaseUnavailable(f"the database is away: {why}") if why else None


def _reason(error: Exception) -> str | None:
    if isinstance(error, PoolTimeout):
        return "all connections of the pool are busy"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError):
        return "nothing answers at its address (is the server up, are host and port right?)"
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        by_state = STATES.get(state) or STATES.get(state[:2])
        by_text = next((why for part, why in SQLITE.items() if part in str(error.orig)), None)
        lost = error.connection_invalidated or isinstance(error, InterfaceError)
        return by_state or (by_text if not state else None) or ("the connection broke" if lost else None)
    return None
