"""One revision in place of many. It has the id of the last, so a database that is there needs no stamp."""

import os
import re
import shutil
import subprocess
from argparse import Namespace
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.operations import ops
from alembic.script import Script
from alembic.util import to_tuple
from sqlalchemy import Column
from sqlalchemy.schema import Constraint, SchemaItem

from app.db.migrations import environment, losses, revisions, rows, snapshot, throwaway
from app.db.migrations.snapshot import Snapshot
from app.db.migrations.throwaway import BACKENDS, Backend
from app.errors import UserError
from app.settings import Settings

DOCSTRING = '''"""{slug}

Every database must have reached {revision} before this file is deployed: upgrade refuses one that stands at another
of those it replaces.
"""'''


class CannotSquash(UserError):
    """The revisions are as they were."""


class WouldStrand(UserError):
    """The database stands at a revision that would be gone."""

    exit_code = 3


def squash(settings: Settings, up_to: str | None) -> Script:
    """Replace all revisions, or those up to that one. Returns the new one.

    It is written from the models, elsewhere, and takes their place only when it makes the same catalogs.
    Errors: TwoHeads; UnknownRevision; WouldStrand; CannotSquash.
    """
    line = _line(up_to)
    _require_committed(_folder(line), [Path(script.path) for script in line])
    _require_not_stranding(settings, line)
    root = Path(revisions.scripts().dir)
    with throwaway.databases() as make, TemporaryDirectory(dir=root, prefix="squash-") as folder:
        old = {backend: _by_revisions(make(backend), line) for backend in BACKENDS}
        config = _config_in(Path(folder))
        draft = _write(config, make("sqlite"), line, old["postgresql"])
        new = {backend: _snapshot(make(backend), line[-1], config) for backend in BACKENDS}
        _require_same(old, new)
        _put_in_place(draft, line)
    return next(script for script in revisions.history() if script.revision == line[-1].revision)


def _line(up_to: str | None) -> list[Script]:
    head = revisions.require_one_head()
    last = revisions.find(up_to or head).revision
    below = {script.revision for script in revisions.scripts().iterate_revisions(last, "base")}
    line = [script for script in revisions.history() if script.revision in below]
    if len(line) < 2:
        raise CannotSquash("there is nothing to squash: one revision is one already")
    inside = {script.revision for script in line[:-1]}
    for script in revisions.history():
        follows = {*to_tuple(script.down_revision, ()), *to_tuple(script.dependencies, ())}
        if script.revision not in below and follows & inside:
            raise CannotSquash(f"{script.revision} follows {', '.join(follows & inside)}, which would be gone")
    return line


def _folder(line: list[Script]) -> Path:
    """The one that holds them all: a folder inside it may go one day, with its feature."""
    return Path(os.path.commonpath([Path(script.path).parent for script in line]))


def _require_committed(folder: Path, paths: list[Path]) -> None:
    """What is squashed can then be had back from git, whatever happens."""
    git = shutil.which("git")
    if git is None:
        raise CannotSquash("without git nothing could be had back: install it, and commit the revisions")
    try:
        subprocess.run([git, "ls-files", "--error-unmatch", *paths], cwd=folder, capture_output=True, check=True)
        status = [git, "status", "--porcelain", "--", "."]
        changes = subprocess.run(status, cwd=folder, capture_output=True, text=True, check=True).stdout
    except subprocess.CalledProcessError as error:
        raise CannotSquash(
            f"the revisions in {folder} are not all known to git, and could not be had back: git init, git add and "
            "git commit come first"
        ) from error
    if changes:
        raise CannotSquash(f"{folder} has changes that are not committed: commit them first, so that nothing is lost")


def _require_not_stranding(settings: Settings, line: list[Script]) -> None:
    at = environment.on_connection(settings, revisions.current)
    stranded = at & {script.revision for script in line[:-1]}
    if stranded:
        raise WouldStrand(
            f"the database at DATABASE_URL is at {', '.join(stranded)}, which would be gone: run "
            "oppman.py migrate upgrade first"
        )


def _by_revisions(settings: Settings, line: list[Script]) -> Snapshot:
    """The catalog that the old revisions make.

    Errors: CannotSquash, where they put rows into an empty database: the models know of none.
    """
    found = _snapshot(settings, line[-1])
    held = {table: len(there) for table, there in environment.on_connection(settings, rows.read).items() if there}
    if held:
        by = [script.revision for script in line if losses.names_in(script, "execute", "bulk_insert")]
        what = ", ".join(f"{count} in {table}" for table, count in held.items())
        raise CannotSquash(f"revisions put in rows ({what}), see {', '.join(by)}: squash --up-to one before them")
    return found


def _snapshot(settings: Settings, script: Script, config: Config | None = None) -> Snapshot:
    throwaway.migrate(settings, script.revision, config=config)
    return environment.on_connection(settings, partial(snapshot.take, beyond_models=True))


def _config_in(folder: Path) -> Config:
    """Alembic's configuration with that folder, which has no revisions yet."""
    for name in ("env.py", "script.py.mako"):
        shutil.copy(Path(revisions.scripts().dir) / name, folder)
    (folder / "versions").mkdir()
    config = revisions.config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.cmd_opts = Namespace(quiet=True)  # it would name a file that nobody will find
    return config


def _write(config: Config, empty: Settings, line: list[Script], wanted: Snapshot) -> Path:
    config.attributes["settings"] = empty
    names = {name.replace('"', "") for name in wanted}

    def as_it_was(_context: object, _revision: object, directives: Sequence[ops.MigrationScript]) -> None:
        for script in directives:
            assert script.upgrade_ops is not None
            assert script.downgrade_ops is not None
            script.upgrade_ops.ops = [op for op in script.upgrade_ops.ops if _keep(op, names)]
            script.upgrade_ops.reverse_into(script.downgrade_ops)

    last = line[-1].revision
    slug = f"everything up to {line[-1].doc}"
    with redirect_stdout(StringIO()):  # Alembic tells of each hook
        command.revision(config, slug, autogenerate=True, rev_id=last, process_revision_directives=as_it_was)
    [draft] = Path(config.get_main_option("script_location") or "", "versions").glob("*.py")
    text = re.sub(r'^""".*?"""', lambda _: DOCSTRING.format(slug=slug, revision=last), draft.read_text(), flags=re.S)
    draft.write_text(text.replace("\n\n\ndef upgrade", f"\n{_replaces(line)}\n\n\ndef upgrade", 1))
    return draft


def _replaces(line: list[Script]) -> str:
    replaced: dict[str, str] = {}
    for script in line:
        replaced |= revisions.replaces(script) | {script.revision: revisions.file_hash(script)}
    lines = "".join(f'    "{revision}": "{file_hash}",\n' for revision, file_hash in replaced.items())
    return (
        f"\n# With the hashes of their files: what a database has applied is known by them.\nreplaces = {{\n{lines}}}"
    )


def _keep(op: ops.MigrateOperation, names: set[str]) -> bool:
    """Whether there was such a thing then; of a table, what there was of it: the models are those of today."""
    if isinstance(op, ops.ModifyTableOps):
        op.ops = [inner for inner in op.ops if _keep(inner, names)]
        return bool(op.ops)
    if isinstance(op, ops.CreateIndexOp):
        return f"index {op.index_name}" in names
    if isinstance(op, ops.CreateTableOp):
        op.columns = [item for item in op.columns if _was_there(op.table_name, item, names)]
        return any(isinstance(item, Column) for item in op.columns)
    return True


def _was_there(table: str, item: SchemaItem, names: set[str]) -> bool:
    if isinstance(item, Column):
        return f"column {table}.{item.name}" in names
    if isinstance(item, Constraint) and item.name:
        return f"constraint {table}.{item.name}" in names
    return all(_was_there(table, column, names) for column in getattr(item, "columns", ()))


def _require_same(old: dict[Backend, Snapshot], new: dict[Backend, Snapshot]) -> None:
    lines = [f"{backend}: {line}" for backend in BACKENDS for line in snapshot.differences(new[backend], old[backend])]
    if lines:
        raise CannotSquash(
            "\n".join([*lines, "what the models say is not what the revisions made: nothing was changed"])
        )


def _put_in_place(draft: Path, line: list[Script]) -> None:
    last = Path(line[-1].path)
    target = _folder(line) / f"{last.name.partition('_')[0]}_squash.py"  # sorts where the last one did
    content = draft.read_bytes()
    for script in line:
        Path(script.path).unlink()
    target.write_bytes(content)
    revisions.scripts.cache_clear()
