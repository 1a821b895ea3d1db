"""Several deployers at once, a slow reader, a database that is not up yet: an upgrade gets through, or changes nothing.

Every number is in docs/decisions/0017-migrations-that-cannot-hurt.md.
"""

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.db.errors import DatabaseUnavailable
from app.errors import UserError

Result = TypeVar("Result")

# The same for every version of the code, and for nothing else in this database.
LOCK_KEY = 7_305_132_986_452_100_017

POLL_SECONDS = 0.1
TELL_AFTER_SECONDS = 1.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0

LOCK_NOT_HAD = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
COMES_BACK = {"refused", "timeout", "lost", "dns", "busy"}


class LockNotHad(UserError):
    """Somebody else held what was needed until the time was up; nothing was changed by the step that waited."""

    exit_code = 5


@dataclass(frozen=True)
class Patience:
    """How long to wait, for what."""

    wait_seconds: float = 0  # for a database that is not up yet
    lock_timeout_seconds: float = 0.2  # for one lock: so long all others wait behind us
    budget_seconds: float = 120  # for locks, in all
    allow_contract: bool = False


def wait_for_database(patience: Patience, connect: Callable[[], Result]) -> Result:
    """What connect returns, once the database is up.

    Errors: DatabaseUnavailable when the time is up, or when waiting would not help.
    """
    started = time.monotonic()
    while True:
        try:
            return connect()
        except DatabaseUnavailable as error:
            waited = time.monotonic() - started
            if error.kind not in COMES_BACK or waited >= patience.wait_seconds:
                raise
            tell(f"waiting for the database, {patience.wait_seconds - waited:.0f} s left: {error}")
            time.sleep(min(1, max(0.05, patience.wait_seconds - waited)))


def take_lock(patience: Patience, connection: Connection) -> None:
    """Be the only deployer, as long as the transaction of this connection is open.

    A transaction's lock, tried again and again: a session's lock stays behind in a transaction pooler, and waiting for
    it blocks a CREATE INDEX CONCURRENTLY of its holder, for ever.
    Errors: LockNotHad.
    """
    started, told = time.monotonic(), False
    while not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK_KEY}):
        waited = time.monotonic() - started
        if waited >= patience.budget_seconds:
            raise LockNotHad(
                f"another deployer is at work since {waited:.0f} s: wait for it, or give a larger --budget"
            )
        if waited > TELL_AFTER_SECONDS and not told:
            tell("waiting for another deployer")
            told = True
        connection.rollback()  # CREATE INDEX CONCURRENTLY waits for every transaction that has looked at anything
        time.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
    # Last, and a command: the SELECT's portal would stay open, and its snapshot with it.
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def try_again(patience: Patience, work: Callable[[], Result]) -> Result:
    """What the work returns, tried anew when a lock is not had: steps that are done are not done twice.

    Errors: LockNotHad.
    """
    started, pause = time.monotonic(), FIRST_PAUSE_SECONDS
    while True:
        try:
            return work()
        except DBAPIError as error:
            if not is_lock_not_had(error):
                raise
            waited = time.monotonic() - started
            if waited + pause >= patience.budget_seconds:
                raise LockNotHad(
                    f"a lock was not had within {patience.budget_seconds:.0f} s: somebody reads or writes the table "
                    "all the time (oppman.py migrate plan); the step that waited changed nothing"
                ) from error
            tell(f"a table is in use: trying again, {patience.budget_seconds - waited:.0f} s left")
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)


def is_lock_not_had(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in LOCK_NOT_HAD or "database is locked" in str(error.orig)


def tell(message: str) -> None:
    print(f"oppman: {message}", file=sys.stderr, flush=True)  # noqa: T201 - progress, for plain alembic too
