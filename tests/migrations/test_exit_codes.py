"""What each exit code means, by the command that a deploy runs: and the message says what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from deployers import migrate
from history import add_revision
from sqlalchemy import create_engine, make_url, text

from app.db.migrations import revisions

pytestmark = pytest.mark.slow

HEAD = max(revisions.heads())
UNREACHABLE = "postgresql://canary:canary@127.0.0.1:1/canary"


@dataclass(frozen=True)
class Place:
    """A checkout, and a database at its newest revision."""

    checkout: Path
    url: str

    def upgrade(self) -> None:
        code, said = migrate(self.checkout, self.url, "upgrade")
        assert code == 0, said

    def execute(self, sql: str, *, hold: bool = False) -> Callable[[], None]:
        """hold: leave the transaction open until what is returned is called."""
        url = make_url(self.url)
        driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
        connection = create_engine(url.set(drivername=driver)).connect()
        for statement in sql.split(";"):
            connection.execute(text(statement))
        if not hold:
            connection.commit()

        def close() -> None:
            connection.close()
            connection.engine.dispose()

        if not hold:
            close()
        return close

    def add(self, name: str, change: str = "pass", down: str = HEAD, day: int = 1) -> Path:
        return add_revision(self.checkout, name, down, change, day=day)


Arrange = Callable[[Place], object]


def fails(place: Place) -> None:
    place.add("fails", 'op.create_table("half", sa.Column("id", sa.Integer()))\nop.execute("SELECT nonsense")')


def pending(place: Place) -> None:
    place.add("waits")


def drifted(place: Place) -> None:
    place.execute("DROP INDEX ix_audit_logs_timestamp")


def two_heads(place: Place) -> None:
    place.add("left", day=1)
    place.add("right", day=2)


def held(place: Place) -> Callable[[], None]:
    place.add("alters", 'op.add_column("users", sa.Column("x", sa.Integer()))')
    if place.url.startswith("sqlite"):
        return place.execute("BEGIN IMMEDIATE", hold=True)
    return place.execute("SELECT count(*) FROM users", hold=True)


def ahead(place: Place) -> None:
    newer = place.add("tomorrow")
    place.upgrade()
    newer.unlink()


def hurts(place: Place) -> None:
    place.add("hurts", 'op.create_index("ix_x", "users", ["group"])')


def edited(place: Place) -> None:
    path = place.add("written")
    place.upgrade()
    path.write_text(path.read_text() + "# afterthought\n")


def broken_index(place: Place) -> None:
    place.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_audit_logs_timestamp'::regclass")


def nothing(_place: Place) -> None: ...


# What there is, the command, its exit code, and words of its message: what it is about, and what to do.
CASES: list[tuple[Arrange, str, int, tuple[str, ...]]] = [
    (nothing, "upgrade", 0, ("already at revision",)),
    (nothing, "check", 0, ()),
    (nothing, "status", 0, ("applied",)),
    (pending, "upgrade", 0, ("upgrade waits",)),
    (fails, "upgrade", 1, ("nonsense", "--traceback")),
    (pending, "status", 3, ("pending  waits",)),
    (pending, "check", 3, ("run oppman.py migrate upgrade",)),
    (pending, "create more", 3, ("run oppman.py migrate upgrade",)),
    (drifted, "check", 3, ("ix_audit_logs_timestamp", "run oppman.py migrate create")),
    (two_heads, "upgrade", 4, ("left and right", "run oppman.py migrate rebase, or merge")),
    (held, "upgrade --budget 1", 5, ("not had within 1 s", "changed nothing")),
    (ahead, "upgrade", 6, ("tomorrow", "deploy the newer code")),
    (ahead, "status", 6, ("tomorrow",)),
    (hurts, "lint hurts", 7, ("require-concurrent-index-creation", "mend them")),
    (edited, "check", 9, ("written was edited", "restore the file")),
]


@pytest.mark.parametrize(
    ("arrange", "command", "code", "words"), CASES, ids=[f"{case[2]} {case[0].__name__} {case[1]}" for case in CASES]
)
def test_an_exit_code_says_what_happened(
    checkout: Path, own_url: str, arrange: Arrange, command: str, code: int, words: tuple[str, ...]
) -> None:
    release = arrange(Place(checkout, own_url))
    found, said = migrate(checkout, own_url, *command.split())
    if callable(release):
        release()
    assert found == code, said
    assert all(word in said for word in words), said
    if code == 1:
        assert migrate(checkout, own_url, "status")[0] == 3  # rolled back: it is pending
        assert "half" not in migrate(checkout, own_url, "check")[1]


@pytest.mark.parametrize("command", ["upgrade", "status", "check", "current"])
def test_a_database_that_is_away_is_8(checkout: Path, command: str) -> None:
    code, said = migrate(checkout, UNREACHABLE, command)
    assert (code, "nothing answers" in said, "canary" in said) == (8, True, False), said


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_an_index_that_is_not_valid_is_9(checkout: Path, own_url: str) -> None:
    broken_index(Place(checkout, own_url))
    code, said = migrate(checkout, own_url, "check")
    assert (code, "ix_audit_logs_timestamp" in said, "REINDEX INDEX CONCURRENTLY" in said) == (9, True, True), said
