"""feature new: green at once, or nothing is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.feature import BLOCK, PAGE, Names
from app.cli.feature import app as feature
from app.features import FEATURES
from app.settings import ROOT


def git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout


def oppman(checkout: Path, url: str, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, str(checkout / "oppman.py"), *arguments]
    environment = {**os.environ, "DATABASE_URL": url}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def fine(checkout: Path, url: str, *arguments: str) -> str:
    code, output = oppman(checkout, url, *arguments)
    assert code == 0, output
    return output


@pytest.fixture
def clone(checkout: Path) -> Path:
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "x")
    return checkout


@pytest.mark.parametrize(
    ("plural", "singular", "model"),
    [
        ("tickets", "ticket", "Ticket"),
        ("support_tickets", "support_ticket", "SupportTicket"),
        ("companies", "company", "Company"),
        ("addresses", "address", "Address"),
        ("boxes", "box", "Box"),
        ("status", "status", "Status"),
        ("media", "media", "Media"),
    ],
)
def test_the_model_is_called_in_the_singular(plural: str, singular: str, model: str) -> None:
    assert Names.of(plural) == Names(plural, singular, model)


@pytest.mark.parametrize(
    "name",
    [
        "Tickets", "my-tickets", "1tickets", "tickets_", "_tickets", "", "tick__ets", "../tickets", "t" * 41,
        "class", "classes", "lists", "matches",  # Python
        "sessions", "pages", "texts", "services", "uuids",  # what the blocks use
        "json", "pytest", "app",  # modules
        *FEATURES,
    ],
)  # fmt: skip
def test_a_name_that_cannot_serve_is_one_line(name: str) -> None:
    before = git(ROOT, "status", "--porcelain")
    result = CliRunner().invoke(feature, ["new", name])
    assert "nothing was written" in str(result.exception)
    assert "\n" not in str(result.exception)
    assert git(ROOT, "status", "--porcelain") == before


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")  # its tests run on both by themselves
def test_a_new_feature_is_green_at_once(clone: Path, empty_url: str) -> None:
    name = "companies"
    early, output = oppman(clone, empty_url, "feature", "new", name)
    assert (early, "migrate upgrade" in output, git(clone, "status", "--porcelain")) == (1, True, ""), output
    fine(clone, empty_url, "migrate", "upgrade")
    fine(clone, empty_url, "feature", "new", name)
    fine(clone, empty_url, "migrate", "upgrade")
    fine(clone, empty_url, "migrate", "check")
    passed = re.search(
        r"(\d+) passed",
        fine(clone, empty_url, "test", f"tests/{name}", "tests/test_architecture.py", "tests/test_roles.py"),
    )
    assert passed
    assert int(passed[1]) > 28
    lint = [sys.executable, "-m", "ruff", "check", "app", "tests", "alembic"]
    subprocess.run(lint, cwd=clone, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_the_page_about_a_new_feature_is_what_is_written(clone: Path, empty_url: str) -> None:
    [shell] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for line in shell.splitlines():
        fine(clone, empty_url, *line.split()[2:])
    for path, text in BLOCK.findall(PAGE.read_text()):
        assert (clone / path).read_text() == text


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_the_page_about_pages_works_on_top_of_it(clone: Path, own_url: str) -> None:
    page = (ROOT / "docs/pages.md").read_text()
    fine(clone, own_url, "feature", "new", "notes")
    for path, text in re.findall(r"`([\w/]+\.(?:py|html))`\n\n```(?:python|html)\n(.*?)```", page, re.DOTALL):
        (clone / path).parent.mkdir(exist_ok=True)
        (clone / path).write_text(text)
    passed = re.search(r"(\d+) passed", fine(clone, own_url, "test", "tests/notes/test_note_pages.py"))
    assert passed
    assert int(passed[1]) == 4
    lint = [sys.executable, "-m", "ruff", "check", "app", "tests"]
    subprocess.run(lint, cwd=clone, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_a_feature_whose_migration_fails_is_taken_back(clone: Path, own_url: str) -> None:
    (clone / "alembic/script.py.mako").write_text("${nonsense")
    git(clone, "commit", "--quiet", "--all", "--message", "x")
    code, output = oppman(clone, own_url, "feature", "new", "tickets")
    assert (code, "everything is as it was" in output) == (1, True), output
    assert git(clone, "status", "--porcelain") == ""
