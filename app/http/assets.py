"""Static files with their version in the address: a browser may keep them for a year, and still gets new ones."""

from functools import cache
from hashlib import sha256
from os import PathLike, stat_result
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.settings import ROOT

FOLDER = ROOT / "app/web/static"


class Assets(StaticFiles):
    """/static: what is asked for with its version never changes; anything else is asked for again each time."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
        current = asked == [version(Path(full_path))]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response


def version(file: Path) -> str:
    """A hash of what the file holds now."""
    return _version(file, file.stat().st_mtime_ns)


@cache
def _version(file: Path, _modified_ns: int) -> str:
    return sha256(file.read_bytes()).hexdigest()[:16]
