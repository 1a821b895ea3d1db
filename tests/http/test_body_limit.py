import asyncio
from collections.abc import AsyncIterator

import pytest
from conftest import client_of
from fastapi import FastAPI, Request

from app.http import middleware
from app.http.middleware import BodyLimit

SMALL, LARGE = 1_000, 10_000


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.add_middleware(BodyLimit, SMALL, LARGE, ["/things/{thing_id}/photo"])

    @app.post("/{path:path}")
    async def read(request: Request) -> int:
        return len(await request.body())

    return app


async def pieces(length: int) -> AsyncIterator[bytes]:
    """Sent without saying how much it will be."""
    for _ in range(length // 100):
        yield b"x" * 100


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("path", "limit"),
    [("/things/1/photo", LARGE), ("/things/1/photo/", SMALL), ("/things/1/2/photo", SMALL), ("/things", SMALL)],
)
async def test_a_route_that_takes_files_has_a_limit_of_its_own(
    app: FastAPI, path: str, limit: int, announced: bool
) -> None:
    async with client_of(app) as client:
        answers = [
            await client.post(path, content=b"x" * length if announced else pieces(length))
            for length in (limit, limit + 100)
        ]
    assert [answer.status_code for answer in answers] == [200, 413]
    assert answers[0].json() == limit


async def test_a_body_that_does_not_come_is_given_up(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(10)

    async with client_of(app) as client:
        assert (await client.post("/things", content=slow())).status_code == 408
