"""The history without the demo's revisions: what stood on them stands on what they stood on."""

import ast
import re
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from app.cli.demo.rows import demo_tables
from app.cli.demo.traces import belongs_to_the_demo
from app.db.migrations import environment, journal, revisions, snapshot, throwaway
from app.db.migrations.deploy import Patience
from app.db.migrations.throwaway import BACKENDS
from app.errors import UserError
from app.settings import Settings

Following = str | list[str] | tuple[str, ...] | None


class StandsOnTheDemo(UserError):
    """A revision that stays needs one that goes."""


def going() -> dict[str, Script]:
    """The demo's revisions."""
    folder = Path(revisions.scripts().dir)
    return {
        script.revision: script
        for script in revisions.history()
        if belongs_to_the_demo(Path(script.path).relative_to(folder))
    }


def ancestors(of: Following) -> tuple[str, ...]:
    """Those, or where one goes, the nearest that stay."""
    gone = going()
    found: list[str] = []
    for revision in _as_written(of):
        nearest = ancestors(gone[revision].down_revision) if revision in gone else (revision,)
        found += [name for name in nearest if name not in found]
    return tuple(found)


def relink(folder: Path) -> None:
    """Put the revisions of this copy of alembic/ that stand on the demo's onto what stays.

    Errors: StandsOnTheDemo.
    """
    gone = going()
    for script in revisions.history():
        names = ancestors(script.down_revision)
        if script.revision not in gone and names != _as_written(script.down_revision):
            path = folder / Path(script.path).relative_to(revisions.scripts().dir)
            path.write_text(following(path.read_text(encoding="utf-8"), names), encoding="utf-8", newline="\n")
        needs = set(_as_written(script.dependencies)) & gone.keys()
        if script.revision not in gone and needs:
            raise StandsOnTheDemo(f"{script.revision} ({script.doc}) depends on {', '.join(sorted(needs))}")


def _as_written(of: Following) -> tuple[str, ...]:
    return (of,) if isinstance(of, str) else tuple(of or ())


def following(source: str, names: tuple[str, ...]) -> str:
    """The source of a revision, with these before it."""
    value = next(_down_revisions(source))
    lines = source.splitlines(keepends=True)
    first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
    new = "None" if not names else f'"{names[0]}"' if len(names) == 1 else str(names).replace("'", '"')
    lines[first : last + 1] = [f"{lines[first][: value.col_offset]}{new}{lines[last][value.end_col_offset :]}"]
    said = f"Revises: {', '.join(names)}".rstrip()
    return re.sub(r"^Revises:.*$", said, "".join(lines), count=1, flags=re.MULTILINE)


def _down_revisions(source: str) -> Iterator[ast.expr]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if [ast.unparse(target) for target in targets] == ["down_revision"]:
                yield node.value


def statements() -> list[str]:
    """SQL that takes the demo out of a database which has it, wherever in the history it is."""
    moves: dict[tuple[str, ...], list[str]] = {}
    for revision, script in going().items():
        moves.setdefault(ancestors(script.down_revision), []).append(revision)
    return [
        *(f"DROP TABLE IF EXISTS {table.name}" for table in reversed(demo_tables())),
        *(
            f"UPDATE alembic_version SET version_num = '{nearest[0]}' WHERE version_num IN ({_listed(left)})"
            for nearest, left in moves.items()
        ),
        f"DELETE FROM {journal.NAME} WHERE revision IN ({_listed(going())})",
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def run(sql: Iterable[str], connection: Connection) -> None:
    has_journal = inspect(connection).has_table(journal.NAME)
    for statement in sql:
        if has_journal or journal.NAME not in statement:
            connection.exec_driver_sql(statement)


def prove(new: Path) -> None:
    """Make sure that this alembic/ folder leads where today's and those statements lead, on databases of both kinds.

    Errors: StandsOnTheDemo.
    """
    with throwaway.databases() as make:
        for backend in BACKENDS:
            fresh, old = make(backend), make(backend)
            _upgrade_along(new, fresh)
            throwaway.migrate(old)
            try:
                environment.in_transaction(old, partial(run, statements()))
            except (SQLAlchemyError, UserError) as error:
                raise StandsOnTheDemo(f"something that stays needs a table that goes: {_reason(error)}") from error
            found = [environment.on_connection(settings, snapshot.take) for settings in (fresh, old)]
            for line in snapshot.differences(*found):
                raise StandsOnTheDemo(f"a revision that stays works on what goes; on {backend}, {line}")


def _upgrade_along(folder: Path, settings: Settings) -> None:
    config = revisions.config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes |= {"settings": settings, "patience": Patience(allow_contract=True)}
    for script in _in_order(config):
        try:
            command.upgrade(config, script.revision)
        except (SQLAlchemyError, CommandError, LookupError) as error:
            raise StandsOnTheDemo(f"{script.revision} ({script.doc}) stands on the demo: {_reason(error)}") from error


def _in_order(config: Config) -> list[Script]:
    return list(reversed(list(ScriptDirectory.from_config(config).walk_revisions())))


def _reason(error: BaseException) -> str:
    """In the database's own words, below what others made of them."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).splitlines()[0]


def copy_without_demo(folder: Path) -> Path:
    """alembic/ as it will be, in that folder."""
    source, target = Path(revisions.scripts().dir), folder / "alembic"
    shutil.copytree(source, target, ignore=lambda _, names: [name for name in names if belongs_to_the_demo(Path(name))])
    relink(target)
    return target


def prove_today() -> None:
    """That the demo can go, before anything is touched."""
    with TemporaryDirectory() as folder:
        prove(copy_without_demo(Path(folder)))
