"""What the documentation says is true."""

import re
from pathlib import Path

import pytest
from cli_tree import ALL_COMMANDS

from app.cli.main import COMMANDS, FEATURE_COMMANDS
from app.db.url import resolve
from app.features import FEATURES
from app.settings import DEVELOPMENT_SECRET, ROOT, Settings

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shell_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_example_env_lists_every_setting_in_order_with_its_default() -> None:
    listed = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / "example.env").read_text(), re.MULTILINE)
    assert [name.lower() for name, _ in listed] == list(Settings.model_fields)
    defaults = Settings(_env_file=None)
    copied = Settings(_env_file=ROOT / "example.env")
    assert copied == defaults
    assert copied.secret_key.get_secret_value() == DEVELOPMENT_SECRET


def test_every_setting_is_explained() -> None:
    lines = (ROOT / "example.env").read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[A-Z_]+=", line):
            group = lines[max(0, number - 4) : number]
            assert any(above.startswith("# ") for above in group), line


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"oppman.py {command}" in (ROOT / "docs/commands.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for first in re.findall(r"oppman\.py ([a-z]+)", page.read_text()):
        assert first in COMMANDS | FEATURE_COMMANDS, first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci/run").read_text().splitlines()
    assert "python3 oppman.py test" in shell_lines(ROOT / "README.md")
    assert "python3 oppman.py test" in script
    assert set(shell_lines(ROOT / "CONTRIBUTING.md")) <= set(script)


def test_the_decisions_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for path in (ROOT / "docs/decisions").glob("*.md"):
        assert all(f"## {part}" in path.read_text() for part in ("Context", "Choice", "What it costs"))


def test_every_feature_says_what_it_is() -> None:
    for feature in FEATURES:
        assert (ROOT / f"app/features/{feature}/__init__.py").read_text().startswith('"""')


def test_the_urls_of_the_providers_table_work_as_pasted() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| `(\w+://[^`]+)` \| ([^|]+) \|$", (ROOT / "docs/DATABASE.md").read_text(), re.MULTILINE
    )
    assert len(rows) >= 20
    for provider, url, says in rows:
        resolved = resolve(url)
        assert resolved.driver in ("asyncpg", "aiosqlite"), provider
        assert resolved.pooled == says.startswith("pooled"), provider
        if "TLS required" in says:
            assert "sslmode=require" in resolved.connect_args["dsn"], provider
