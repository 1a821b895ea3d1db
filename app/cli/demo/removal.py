"""Takes the demo out of the checkout and of its database, or leaves everything as it was."""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from sqlalchemy.exc import SQLAlchemyError

from app.cli.demo import history
from app.cli.demo.rows import count_in
from app.cli.demo.traces import belongs_to_the_demo, require_no_imports, without_blocks
from app.db.errors import DatabaseUnavailable
from app.db.migrations import environment, revisions
from app.errors import UserError
from app.settings import ROOT, Settings


@dataclass(frozen=True)
class Plan:
    going: list[PurePath]  # files, relative to the project
    staying: list[PurePath]
    rows: dict[str, int] | None  # by table; None: no database, or not to be touched

    def lines(self) -> list[str]:
        folders = sorted({str(_highest(path)) for path in self.going})
        tables = [f"goes: table {table} with {number} rows, whoever made them" for table, number in self._tables()]
        return [*(f"goes: {folder}" for folder in folders), *tables]

    def _tables(self) -> list[tuple[str, int]]:
        return list((self.rows or {}).items())


def make_plan(settings: Settings, *, keep_database: bool) -> Plan:
    """Errors: UserError, where it cannot be taken out, or could not be put back."""
    if _git("status", "--porcelain", "--", "."):
        raise UserError("git knows of changes here: commit them, or put them away with git stash --include-untracked")
    files = [PurePath(name) for name in _git("ls-files", "-z").split("\0") if name]
    going = [path for path in files if belongs_to_the_demo(path)]
    staying = [path for path in files if path not in going]
    revisions.require_one_head()
    require_no_imports(ROOT, staying)
    return Plan(going, staying, None if keep_database else _count(settings))


def carry_out(plan: Plan, settings: Settings) -> None:
    _tell("trying the history without it on SQLite and PostgreSQL")
    history.prove_today()
    sql = history.statements()  # now: what it is made from goes
    try:
        _change(plan)
        _tell("trying what is left")
        _require_success(sys.executable, "-c", "import app.main")
        _require_success(sys.executable, "oppman.py", "migrate", "test")
    except BaseException:
        _git("checkout", "--quiet", "HEAD", "--", ".")
        print("everything is as it was", file=sys.stderr)
        raise
    done = bool(plan.rows) and _take_out_of_database(settings, sql)
    print("The demo is gone. Look at it with git diff, then: git add --all && git commit")
    which = "another database" if done else "a database"
    print(f"For {which} that has it, when no older code runs there:\n\n" + "".join(f"    {line};\n" for line in sql))


def _take_out_of_database(settings: Settings, sql: list[str]) -> bool:
    try:
        environment.in_transaction(settings, partial(history.run, sql))
    except (SQLAlchemyError, UserError) as error:
        print(f"oppman: the database is as it was: {str(error).splitlines()[0]}", file=sys.stderr)
        return False
    return True


def _count(settings: Settings) -> dict[str, int] | None:
    database = settings.migration_database
    if database.is_sqlite and not Path(database.url.database or "").exists():
        return None  # connecting would make it
    try:
        return environment.on_connection(settings, count_in)
    except DatabaseUnavailable as error:
        print(f"oppman: the database is left as it is: {error}", file=sys.stderr)
        return None


def _change(plan: Plan) -> None:
    history.relink(ROOT / "alembic")
    for path in plan.going:
        (ROOT / path).unlink()
    for folder in sorted({parent for path in plan.going for parent in path.parents}, reverse=True):
        if belongs_to_the_demo(folder):
            _remove_folder(ROOT / folder)
    for path in plan.staying:
        if not (ROOT / path).is_file():  # a submodule, a link to a folder
            continue
        content = (ROOT / path).read_bytes()
        if b"demo" in content and b"\0" not in content:
            text = content.decode("utf-8")
            (ROOT / path).write_text(without_blocks(text), encoding="utf-8", newline="")


def _remove_folder(folder: Path) -> None:
    """Its compiled files, and itself where nothing else is in it: what git ignores may be somebody's."""
    for compiled in folder.glob("__pycache__/*.pyc"):
        compiled.unlink()
    for empty in (folder / "__pycache__", folder):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()


def _highest(path: PurePath) -> PurePath:
    """The folder that goes as a whole, or the file."""
    return next((parent for parent in reversed(path.parents) if belongs_to_the_demo(parent)), path)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            "this is no git work tree: put it under git first, so that everything can be put back"
        ) from error


def _require_success(*command: str) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"what is left does not work: {(result.stderr or result.stdout).strip().splitlines()[-1]}")


def _tell(what: str) -> None:
    print(f"oppman: {what} …", file=sys.stderr, flush=True)
