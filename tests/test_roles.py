"""Who may call what: every route, for everybody. The tables stand in tests/*/roles.py.

A route that is in no table fails, so that nobody adds one without deciding.
"""

import re
import runpy
from uuid import uuid4

import pytest
from fastapi.routing import iter_route_contexts
from httpx import AsyncClient
from people import KINDS, headers_of
from sqlalchemy.ext.asyncio import AsyncSession

from app.main import app
from app.settings import ROOT

TABLE: dict[str, set[str]] = {}
for path in sorted((ROOT / "tests").glob("*/roles.py")):
    TABLE |= runpy.run_path(str(path))["ROUTES"]

ROUTES = sorted(f"{method} {route.path}" for route in iter_route_contexts(app.routes) for method in route.methods or ())


def test_every_route_is_in_a_table_and_every_line_of_a_table_is_a_route() -> None:
    assert {name for name in set(ROUTES) - set(TABLE) if not name.startswith("HEAD ")} == {"GET /openapi.json"}
    assert set(TABLE) - set(ROUTES) == set()


def test_every_route_that_is_documented_is_looked_at() -> None:
    documented = {f"{method.upper()} {path}" for path, item in app.openapi()["paths"].items() for method in item}
    assert documented <= set(ROUTES)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")  # no database decides
@pytest.mark.parametrize("kind", KINDS)
async def test_everybody_may_do_what_the_table_says(client: AsyncClient, session: AsyncSession, kind: str) -> None:
    for name, allowed in TABLE.items():
        headers = await headers_of(session, kind)  # anew: some routes log out
        method, _, path = name.partition(" ")
        answer = await client.request(method, re.sub(r"\{\w+\}", str(uuid4()), path), headers=headers)
        if kind in allowed:
            assert answer.status_code not in (401, 403), name
        else:
            assert answer.status_code == (401 if kind == "anonymous" else 403), f"{name}: {answer.status_code}"
