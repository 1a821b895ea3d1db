"""The house's rules that can be tested: see docs/decisions."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.features import FEATURES
from app.settings import ROOT

# A room imports only what stands to its right, or itself.
ROOMS = ["main", "cli", "features", "http", "mail", "storage", "observe", "db", "settings", "errors"]
# url.py is pure, and settings.py validates with it: docs/decisions/0010-the-url-is-a-leaf.md
LEAVES = {"app.db.url", "app.db.url_parse", "app.db.url_drivers"}

FILES = sorted((ROOT / "app").rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """The project's modules that it imports, at the top or anywhere else."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            known = submodules & MODULES
            found |= known or {node.module}
    return {name for name in found if name == "app" or name.startswith("app.")}


MODULES = {name_of(path) for path in FILES}
IMPORTS = {name_of(path): imports_of(path) for path in FILES}


def room(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("module", sorted(IMPORTS.keys() - {"app"}))
def test_a_room_imports_only_what_stands_to_its_right(module: str) -> None:
    allowed = set(ROOMS[ROOMS.index(room(module)) :])
    wrong = {name for name in IMPORTS[module] - LEAVES if name != "app" and room(name) not in allowed}
    assert not wrong


def reached_from(module: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(IMPORTS[module])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += IMPORTS.get(name, ())
    return reached


@pytest.mark.parametrize("module", sorted(IMPORTS))
def test_there_is_no_import_circle(module: str) -> None:
    assert module not in reached_from(module)


@pytest.mark.parametrize("feature", FEATURES)
def test_models_bring_no_web_framework_along(feature: str) -> None:
    """Every command about migrations loads them."""
    assert not {name for name in reached_from(f"app.features.{feature}.models") if name.startswith("app.http")}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_uses_only_those_above_it_by_their_front_doors(feature: str) -> None:
    above = FEATURES[: FEATURES.index(feature)]
    doors = {f"app.features.{name}.{door}" for name in above for door in ("service", "dependencies", "models")}
    for module, imported in IMPORTS.items():
        if module.startswith(f"app.features.{feature}."):
            others = {name for name in imported if name.startswith("app.features.")}
            assert {name for name in others if not name.startswith(f"app.features.{feature}")} <= doors


@pytest.mark.parametrize("module", sorted(m for m in IMPORTS if m == "app.main" or m.startswith("app.cli")))
def test_main_and_cli_reach_features_only_through_the_table_of_contents(module: str) -> None:
    assert not {name for name in IMPORTS[module] if name.startswith("app.features.")}


def test_every_feature_is_in_the_table_of_contents() -> None:
    folders = {path.name for path in (ROOT / "app/features").iterdir() if (path / "__init__.py").exists()}
    assert folders == set(FEATURES)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_has_more_than_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_only_one_place_commits() -> None:
    """The migrations' own tools work on throwaway databases, or in Alembic's transactions."""
    for path in FILES:
        if name_of(path) != "app.db.session" and not name_of(path).startswith("app.db.migrations"):
            assert not re.search(r"\.(commit|begin)\(\)", path.read_text()), path


def test_features_write_through_the_session() -> None:
    """What goes around it is not recorded: docs/decisions/0019-what-changes-is-recorded-by-the-session.md"""
    recorder = "app.features.audit_logs.models"
    for path in (ROOT / "app/features").rglob("*.py"):
        if name_of(path) != recorder:
            found = re.search(r"\.connection\(|exec_driver_sql|\btext\((?!\s*\"SELECT )", path.read_text())
            assert not found, f"{path}: {found}"


def test_our_alembic_folder_is_no_package() -> None:
    """With an __init__.py it would hide the real one."""
    assert not (ROOT / "alembic/__init__.py").exists()


def test_alembic_ini_holds_no_url() -> None:
    assert not re.search(r"^\s*sqlalchemy\.url", (ROOT / "alembic.ini").read_text(), re.MULTILINE)


def test_the_lock_file_names_no_private_index() -> None:
    """One index and one host for files: a third is somebody's mirror."""
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert len(hosts) == 2


def test_a_deploy_to_sqlite_does_not_load_another_driver() -> None:
    """Half of what a deploy without a new revision costs is imports: benchmarks/README.md."""
    heavy = "{'asyncpg', 'psycopg', 'fastapi', 'app.features', 'app.db.local_postgres'}"
    script = f"import app.cli.migrate, sys; sys.exit(str({heavy} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stderr.strip() == "set()"
