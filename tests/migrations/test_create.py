"""A new revision: right on both databases whichever it was written beside, and a rename keeps the data."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import settings_for
from deployers import HEAD, migrate
from history import add_revision

from app.db import local_postgres
from app.db.engine import create_migration_engine
from app.db.migrations import environment

pytestmark = pytest.mark.slow

EVERYTHING = """

class Kind(enum.Enum):
    A = "a"
    B = "b"


class Thing(Timestamps, Base):
    __tablename__ = "things"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_is_positive"), sa.UniqueConstraint("name"))

    name: Mapped[str] = mapped_column(BoundedString(40), server_default="new")
    data: Mapped[dict] = mapped_column(Json)
    flag: Mapped[bool] = mapped_column(server_default=sa.true())
    number: Mapped[int] = mapped_column(sa.BigInteger, server_default=sa.text("5"))
    negative: Mapped[int] = mapped_column(server_default="-5")
    kind: Mapped[Kind] = mapped_column(sa.Enum(Kind, native_enum=False, name="kind"))
    amount: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    ratio: Mapped[float]
    content: Mapped[bytes]
    how_long: Mapped[timedelta]
    day: Mapped[date]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)


class Numbered(Base):
    __tablename__ = "numbered"

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True
    )
    flag: Mapped[bool]
"""
IMPORTS = """import enum
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from app.db.types import Json
"""


def models(checkout: Path, change: Callable[[str], str], feature: str = "users") -> None:
    path = checkout / f"app/features/{feature}/models.py"
    path.write_text(change(path.read_text()))


def create(checkout: Path, url: str, *arguments: str) -> tuple[str, str]:
    """What it said, and what it wrote."""
    before = set((checkout / "alembic/versions").glob("*.py"))
    code, said = migrate(checkout, url, "create", "change", *arguments)
    assert code == 0, said
    [written] = set((checkout / "alembic/versions").glob("*.py")) - before
    written = written.rename(written.with_name(f"{written.stem}{len(before)}.py"))  # two may be of the same second
    return said, written.read_text()


def upgrade(checkout: Path, url: str) -> None:
    code, said = migrate(checkout, url, "upgrade")
    assert code == 0, said


def works(checkout: Path, url: str) -> None:
    """The schema is that of the models then. Down and up again: create has tried that itself, on both databases."""
    deep = ["--deep"] if url.startswith("sqlite") else []  # it looks at throwaway databases of both kinds
    for command in (["upgrade"], ["check", *deep]):
        code, said = migrate(checkout, url, *command)
        assert code == 0, said


def execute(url: str, sql: str) -> list[object]:
    def work(connection: sa.Connection) -> list[object]:
        result = connection.exec_driver_sql(sql)
        found = list(result.scalars()) if result.returns_rows else []
        connection.commit()
        return found

    return environment.on_engine(create_migration_engine(settings_for(url)), work)


def test_both_databases_lead_to_the_same_revision(checkout: Path, tmp_path: Path) -> None:
    written = []
    with local_postgres.throwaway() as server:
        for number, url in enumerate((f"sqlite:///{tmp_path}/first.db", server.url)):
            upgrade(checkout, url)
            there = set((checkout / "alembic/versions").glob("*.py"))
            models(checkout, lambda text: IMPORTS + text + EVERYTHING)
            coming = create(checkout, url)
            works(checkout, url)
            models(checkout, lambda text: text.removeprefix(IMPORTS).removesuffix(EVERYTHING))
            going = create(checkout, url)
            works(checkout, url)
            for said, text in (coming, going):
                assert "it holds" in said, said
                written.append((number, re.sub(r"(revision = |Revision ID).*", "", text)))
            assert "nothing special" in coming[0]
            assert "table things goes" in going[0]
            for path in set((checkout / "alembic/versions").glob("*.py")) - there:
                path.unlink()
    # By line: in which order the indexes of a table go is chance.
    first, second = ([sorted(text.splitlines()) for number, text in written if number == each] for each in (0, 1))
    assert first == second


USER = """INSERT INTO users
(id, email, hashed_password, is_active, is_staff, is_superuser, "group", created_at, updated_at)
VALUES ('{}', 'ada@example.com', 'x', true, false, false, 'first', '{}', '{}')"""


def add_user(url: str) -> None:
    identity = "00000000000000000000000000000001"
    execute(url, USER.format(identity, "2026-01-01 00:00:00", "2026-01-01 00:00:00"))


def test_a_renamed_column_keeps_its_data_and_its_constraint(checkout: Path, own_url: str) -> None:
    add_user(own_url)
    models(checkout, lambda text: text.replace("    email:", "    address:").replace("    group:", "    team:"))
    renames = ("--rename", "users.email:address", "--rename", "users.group:users.team")
    said, written = create(checkout, own_url, *renames)
    assert "it holds" in said, said
    assert "users.email becomes address" in said
    assert written.count("new_column_name=") == 4
    assert "drop_column" not in written
    works(checkout, own_url)
    assert execute(own_url, "SELECT address || ' ' || team FROM users") == ["ada@example.com first"]


LOTS = """op.create_table("lots",
    sa.Column("size", sa.Integer(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False),
    sa.CheckConstraint("size > 0", name=op.f("ck_lots_positive")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")))"""


def test_a_renamed_column_keeps_its_check(checkout: Path, own_url: str) -> None:
    check = '    __table_args__ = (sa.CheckConstraint("{0} > 0", name="positive"),)\n    {0}: Mapped[int]\n'
    models(checkout, lambda text: f"import sqlalchemy as sa\n{text}\n\nclass Lot(Base):\n    __tablename__ = 'lots'\n")
    models(checkout, lambda text: text + check.format("amount"))
    add_revision(checkout, "lots", HEAD, LOTS, 'op.drop_table("lots")')
    upgrade(checkout, own_url)
    said, _ = create(checkout, own_url, "--rename", "lots.size:amount")
    assert "it holds" in said, said
    works(checkout, own_url)


def test_a_renamed_column_takes_its_index_along(checkout: Path, own_url: str) -> None:
    models(checkout, lambda text: text.replace("    timestamp:", "    happened_at:"), "audit_logs")
    said, written = create(checkout, own_url, "--rename", "audit_logs.timestamp:happened_at")
    assert "it holds" in said, said
    assert "ix_audit_logs_happened_at" in written
    works(checkout, own_url)


@pytest.mark.parametrize("child", ["audit_logs", "records"])
def test_a_renamed_table_keeps_its_rows_and_takes_its_names_along(checkout: Path, own_url: str, child: str) -> None:
    add_user(own_url)
    models(checkout, lambda text: text.replace('"users"', '"people"'))
    for path in (checkout / "app/features").glob("*/models.py"):
        models(checkout, lambda text: text.replace('"users.id"', '"people.id"'), path.parent.name)
    models(checkout, lambda text: text.replace('"audit_logs"', f'"{child}"'), "audit_logs")
    renames = ["--rename", "users:people"] + (["--rename", "audit_logs:records"] if child == "records" else [])
    said, written = create(checkout, own_url, *renames)
    assert "it holds" in said, said
    assert "drop_table" not in written
    works(checkout, own_url)
    assert execute(own_url, 'SELECT "group" FROM people') == ["first"]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_without_a_terminal_it_says_what_goes(checkout: Path, own_url: str) -> None:
    models(checkout, lambda text: text.replace("    group:", "    team:"))
    said, written = create(checkout, own_url)
    assert "--rename users.group:users.team" in said
    assert "users.group goes, with its data" in said
    assert "drop_column" in written


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_on_a_terminal_it_asks(checkout: Path, own_url: str) -> None:
    models(checkout, lambda text: text.replace("    group:", "    team:"))
    keyboard, stdin = os.openpty()
    os.write(keyboard, b"y\n")
    command = [sys.executable, str(checkout / "oppman.py"), "migrate", "create", "asked"]
    environment = {**os.environ, "DATABASE_URL": own_url}
    done = subprocess.run(command, stdin=stdin, env=environment, capture_output=True, text=True, check=False)
    os.close(keyboard)
    os.close(stdin)
    assert done.returncode == 0, done.stderr
    assert "was users.group renamed to users.team? [y/N]" in done.stdout
    [written] = (checkout / "alembic/versions").glob("*_asked.py")
    assert 'new_column_name="team"' in written.read_text()


REFUSED = {
    "now": ("    at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=func.now())\n", "default=…"),
    "words": ("    at: Mapped[datetime] = mapped_column(UtcDateTime, server_default='now')\n", "default=…"),
    "function": ("    x: Mapped[str] = mapped_column(server_default=text('gen_random_uuid()'))\n", "default=…"),
    "enum": ("    x: Mapped[str] = mapped_column(Enum('a', 'b', name='x'))\n", "native_enum=False"),
    "key": (
        "\n\nclass X(Base):\n    __tablename__ = 'x'\n"
        "    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)\n",
        "with_variant",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_one_database_cannot_do_is_refused(checkout: Path, own_url: str, name: str) -> None:
    added, advice = REFUSED[name]
    imports = "from sqlalchemy import BigInteger, Enum, func, text\n"
    models(checkout, lambda text: imports + text.replace("\n\nclass UserSession", f"{added}\n\nclass UserSession"))
    before = set((checkout / "alembic/versions").glob("*.py"))
    code, said = migrate(checkout, own_url, "create", "refused")
    assert (code, advice in said) == (1, True), said
    assert set((checkout / "alembic/versions").glob("*.py")) == before


@pytest.mark.parametrize(("wrong", "code"), [("users.nothing:team", 1), ("users.group:nothing", 1), ("users", 2)])
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_a_rename_of_nothing_is_refused(checkout: Path, own_url: str, wrong: str, code: int) -> None:
    models(checkout, lambda text: text.replace("    group:", "    team:"))
    found, said = migrate(checkout, own_url, "create", "refused", "--rename", wrong)
    assert (found, wrong.partition(":")[0] in said) == (code, True), said
