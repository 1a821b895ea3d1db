"""Nothing but the demo, and marked blocks, knows the demo."""

import re
import subprocess
from pathlib import Path, PurePath

import pytest

from app.cli.demo.rows import demo_tables
from app.cli.demo.traces import belongs_to_the_demo, require_no_imports, without_blocks
from app.db.base import Base
from app.errors import UserError
from app.features import DEMO
from app.settings import ROOT

APP_NAME = "FastOpp Demo app"  # a setting
TABLES = demo_tables()
CLASSES = {mapper.class_.__name__ for mapper in Base.registry.mappers if mapper.local_table in TABLES}
WORDS = re.compile(rf"\b({'|'.join([*DEMO, *(table.name for table in TABLES), *CLASSES, '[Dd]emo', 'DEMO'])})\b")


def tracked(root: Path) -> list[PurePath]:
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [PurePath(name) for name in names if (root / name).is_file() and "vendor" not in name]


def words_in(text: str) -> list[str]:
    return WORDS.findall(text.replace(APP_NAME, ""))


STAYING = [path for path in tracked(ROOT) if not belongs_to_the_demo(path) and path.name != "CHANGELOG.md"]


@pytest.mark.parametrize("path", STAYING, ids=str)
def test_what_stays_does_not_know_the_demo(path: PurePath) -> None:
    content = (ROOT / path).read_bytes()
    if b"\0" not in content:
        assert words_in(without_blocks(content.decode())) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"app/features/{DEMO[0]}/models.py", True),
        (f"docs/images/{DEMO[0]}.png", True),
        (f"app/web/templates/{DEMO[1].replace('_', '-')}.html", True),
        ("alembic/versions/demo/2026_x.py", True),
        ("app/features/users/models.py", False),
        (f"docs/about_{DEMO[0]}.md", False),
    ],
)
def test_a_path_belongs_to_the_demo_by_a_name_in_it(name: str, expected: bool) -> None:
    assert belongs_to_the_demo(PurePath(name)) == expected


def test_a_block_goes_and_leaves_the_blank_lines_before_it() -> None:
    assert without_blocks("a\n\n\n# demo\nb\n# /demo\n\n\nc\n") == "a\n\n\nc\n"
    assert without_blocks("a\n  <!-- demo -->\nb\n  <!-- /demo -->\nc\n") == "a\nc\n"
    assert without_blocks("{# demo #}\nb\n{# /demo #}\n\nc\n# demo rows\n") == "\nc\n# demo rows\n"


@pytest.mark.parametrize("text", ["# demo\na\n", "a\n# /demo\n", "# demo\n# demo\n# /demo\n"])
def test_a_mark_without_its_partner_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"partner|end"):
        without_blocks(text)


@pytest.mark.parametrize("line", [f"from app.features.{DEMO[0]} import service", "from app.features import DEMO"])
def test_code_that_stays_and_imports_what_goes_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "shop.py").write_text(f"{line}\n")
    with pytest.raises(UserError, match=r"shop\.py"):
        require_no_imports(tmp_path, [PurePath("shop.py")])
    (tmp_path / "shop.py").write_text(f"# demo\n{line}\n# /demo\n")
    require_no_imports(tmp_path, [PurePath("shop.py")])
