import pytest
from conftest import client_of
from databases import settings_for
from fastapi import FastAPI, Response
from httpx import AsyncClient

from app.main import create_app

PRODUCTION = {
    "environment": "production",
    "secret_key": "kJ8vQ2xWm5RtZc7NbYp4LsHd9FgA3eUo",
    "allowed_hosts": "localhost",
}
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@pytest.fixture
def app(own_app: FastAPI) -> FastAPI:
    return own_app


@pytest.fixture
def app_with_faults(app: FastAPI) -> FastAPI:
    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError

    @app.get("/own")
    async def own() -> Response:
        return Response(headers={"Cache-Control": "max-age=60", "Content-Security-Policy": "sandbox"})

    return app


@pytest.mark.parametrize(
    "path", ["/", "/health", "/api/nothing", "/nothing", "/fault", "/static/no", "/static/app.css"]
)
async def test_every_answer_carries_the_headers(app_with_faults: FastAPI, client: AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in response.headers["permissions-policy"]
    assert response.headers["cache-control"] == ("no-cache" if path == "/static/app.css" else "no-store")
    assert "strict-transport-security" not in response.headers


async def test_a_refused_host_gets_them_too(client: AsyncClient) -> None:
    response = await client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.headers["content-security-policy"] == POLICY


async def test_what_a_route_says_itself_wins(app_with_faults: FastAPI, client: AsyncClient) -> None:
    response = await client.get("/own")
    assert response.headers.get_list("cache-control") == ["max-age=60"]
    assert response.headers.get_list("content-security-policy") == ["sandbox"]


async def test_production_asks_for_https() -> None:
    async with client_of(create_app(settings_for("sqlite://", **PRODUCTION))) as client:
        assert (await client.get("/health")).headers["strict-transport-security"] == "max-age=31536000"


async def test_the_api_documentation_needs_images_as_data_and_no_more(client: AsyncClient) -> None:
    response = await client.get("/docs")
    assert response.headers["content-security-policy"] == f"{POLICY}; img-src 'self' data:"
    assert "<style" not in response.text
    assert response.text.count("<script") == response.text.count("<script src=") == 2
