"""A new feature, from the blocks of docs/add-a-feature.md: what the page teaches is what the command writes."""

import builtins
import keyword
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from app.db.base import Base
from app.errors import UserError
from app.features import FEATURES, modules
from app.settings import ROOT

PAGE = ROOT / "docs/add-a-feature.md"
BLOCK = re.compile(r"`([\w/]+\.py)`\n\n```python\n(.*?)```", re.DOTALL)
CONTENTS = ROOT / "app/features/__init__.py"
VERSIONS = ROOT / "alembic/versions"

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Begin a feature of your own.")


@app.callback()
def group() -> None:
    """Typer makes no group of one command without it."""


@dataclass(frozen=True)
class Names:
    plural: str  # of the folder, the table and the path
    singular: str
    model: str

    @classmethod
    def of(cls, name: str) -> "Names":
        singular = _singular(name)
        return cls(name, singular, "".join(part.capitalize() for part in singular.split("_")))

    def put_into(self, text: str) -> str:
        """The page's text, about these instead of notes."""
        for old, new in (("notes", self.plural), ("note", self.singular), ("Note", self.model)):
            text = re.sub(rf"(?<![A-Za-z]){old}(?![a-z])", new, text)
        return text


@app.command(epilog="Example: python3 oppman.py feature new tickets")
def new(name: Annotated[str, typer.Argument(help="In the plural: the name of its folder and of its table.")]) -> None:
    """Write a feature: model, schemas, service, routes, migration, tests. Change it to what you need."""
    names = Names.of(name)
    blocks = {ROOT / names.put_into(path): text for path, text in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}
    _require_free(names, "".join(blocks.values()))
    _run("migrate", "check")  # or what else is pending would be in its migration
    with _all_or_nothing(names):
        for path, text in blocks.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(names.put_into(text), encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(ROOT).as_posix()}")
        _add_to_contents(name)
        _tidy(*blocks)
        print(_run("migrate", "create", f"create {name.replace('_', ' ')}"), end="")
    print(f"next: oppman.py migrate upgrade, then oppman.py test tests/{name}")


def _singular(name: str) -> str:
    for end, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if name.endswith(end) and len(name) > len(end) + 1:
            return name.removesuffix(end) + instead
    return name if name.endswith(("ss", "us", "is")) else name.removesuffix("s")


def _require_free(names: Names, blocks: str) -> None:
    """Errors: UserError, where the name could not serve everywhere that it has to."""
    reason = next(_objections(names, blocks), None)
    if reason:
        raise UserError(f"{names.plural!r} {reason}; choose another, for example tickets; nothing was written")


def _objections(names: Names, blocks: str) -> Iterator[str]:
    words = {names.plural, names.singular, names.model}
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", names.plural):
        yield "is not snake_case"
    if len(names.plural) > 40:  # PostgreSQL's names have 63, and indexes are longer than tables
        yield "is longer than 40 letters"
    if any(keyword.iskeyword(word) or keyword.issoftkeyword(word) or hasattr(builtins, word) for word in words):
        yield "means something to Python"
    if words & (set(re.findall(r"\w+", blocks)) - {"notes", "note", "Note"}):
        yield "is used by every feature"
    modules("models")
    models = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    if names.plural in {*FEATURES, *Base.metadata.tables} or names.model in models:
        yield "is there already"
    if (CONTENTS.parent / names.plural).exists() or (ROOT / "tests" / names.plural).exists():
        yield "is a folder already"
    if find_spec(names.plural):
        yield "is a module that something else may import"


@contextmanager
def _all_or_nothing(names: Names) -> Iterator[None]:
    contents, revisions = CONTENTS.read_bytes(), set(VERSIONS.rglob("*.py"))
    try:
        yield
    except BaseException:
        for folder in (CONTENTS.parent / names.plural, ROOT / "tests" / names.plural):
            shutil.rmtree(folder, ignore_errors=True)
        for revision in set(VERSIONS.rglob("*.py")) - revisions:
            revision.unlink()
        CONTENTS.write_bytes(contents)
        print("oppman: everything is as it was", file=sys.stderr)
        raise


def _add_to_contents(name: str) -> None:
    """Last in CORE: it may use all that is there."""
    text = CONTENTS.read_text(encoding="utf-8")
    changed = re.sub(r"^(CORE\b[^=]*= \(\n(?:    .*\n)*)\)", rf'\1    "{name}",\n)', text, count=1, flags=re.MULTILINE)
    if changed == text:
        raise UserError("app/features/__init__.py has no CORE = (…), a name on each line: restore it")
    CONTENTS.write_text(changed, encoding="utf-8", newline="\n")
    print("added a line to app/features/__init__.py")


def _tidy(*paths: Path) -> None:
    """Names differ in length, and lines break elsewhere then."""
    for step in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        _require_success(sys.executable, "-m", "ruff", *step, *map(str, paths))


def _run(*arguments: str) -> str:
    """What another command of oppman prints, in a process that has seen nothing of the old state."""
    return _require_success(sys.executable, str(ROOT / "oppman.py"), *arguments)


def _require_success(*command: str) -> str:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        said = (result.stderr or result.stdout).strip().splitlines() or ["no reason given"]
        raise UserError(said[-1].removeprefix("oppman: "))
    return result.stdout
