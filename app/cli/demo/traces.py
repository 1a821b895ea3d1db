"""What of the checkout is the demo: files and folders by their name, and marked blocks in others.

    # demo                    <!-- demo -->
    …                         …
    # /demo                   <!-- /demo -->

In templates and style sheets the marks are {# demo #} and /* demo */.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from app.errors import UserError
from app.features import DEMO

NAMES = {"demo", *DEMO}
MARK = re.compile(r"\s*(?:#|<!--|\{#|/\*)\s*(/?)demo\s*(?:-->|#\}|\*/)?\s*")


def belongs_to_the_demo(path: PurePath) -> bool:
    """Whether it, or a folder that it is in, bears the name of the demo or of one of its features."""
    return any(part.partition(".")[0].replace("-", "_") in NAMES for part in path.parts)


def without_blocks(text: str) -> str:
    """The text without its marked blocks; the blank lines around each become those before it.

    Errors: ValueError where a mark has no partner.
    """
    kept: list[str] = []
    inside = after_block = False
    for line in text.splitlines(keepends=True):
        mark = MARK.fullmatch(line)
        if mark:
            if bool(mark[1]) != inside:
                raise ValueError(f"the mark {line.strip()!r} has no partner")
            inside, after_block = not mark[1], True
        elif not inside and not (after_block and not line.strip() and kept and not kept[-1].strip()):
            kept.append(line)
            after_block = False
    if inside:
        raise ValueError("a block does not end")
    return "".join(kept)


def require_no_imports(root: Path, staying: Iterable[PurePath]) -> None:
    """Errors: UserError where code that stays, outside of blocks, imports what goes."""
    for path in staying:
        if path.suffix == ".py":
            for name in _imports(without_blocks((root / path).read_text(encoding="utf-8"))):
                if name == "app.features.DEMO" or belongs_to_the_demo(PurePath(*name.split("."))):
                    raise UserError(f"{path} imports {name}: change that first; nothing was changed")


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
