import json
from collections.abc import AsyncIterator, Callable

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pydantic import BaseModel

CANARY = "canary-5f1c"


class Credentials(BaseModel):
    email: int
    password: int


@pytest.fixture
def app(own_app: FastAPI) -> FastAPI:
    return own_app


@pytest.fixture
def app_with_faults(app: FastAPI) -> FastAPI:
    @app.post("/credentials")
    async def credentials(_: Credentials) -> None: ...

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError(CANARY)

    return app


def assert_is_problem(body: str, status: int) -> None:
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert len(problem["request_id"]) >= 8


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/health", 405)])
async def test_what_is_not_there_is_a_problem(client: AsyncClient, method: str, path: str, status: int) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert_is_problem(response.text, status)


async def test_each_answer_carries_the_id_of_its_request(client: AsyncClient) -> None:
    response = await client.get("/nothing", headers={"X-Request-ID": "from-the-proxy-1"})
    assert response.headers["x-request-id"] == response.json()["request_id"] == "from-the-proxy-1"


@pytest.mark.parametrize("given", ["short", "x" * 65, "semi;colon", "new line"])
async def test_an_id_that_could_harm_a_log_is_replaced(client: AsyncClient, given: str) -> None:
    response = await client.get("/health", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] != given


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"email": CANARY, "password": CANARY}),
        json.dumps({"email": [CANARY], "password": {"a": CANARY}}),
        f'{{"email": "{CANARY}',
        '{"email": NaN, "password": "\\ud800"}',
        CANARY,
        "",
    ],
)
async def test_a_validation_error_does_not_echo_the_input(
    app_with_faults: FastAPI, client: AsyncClient, body: str
) -> None:
    response = await client.post("/credentials", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert_is_problem(response.text, 422)
    assert CANARY not in response.text
    assert response.json()["errors"]


async def test_an_unforeseen_error_is_logged_and_tells_nothing(
    app_with_faults: FastAPI, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.get("/fault")
    assert response.status_code == 500
    assert_is_problem(response.text, 500)
    assert CANARY not in response.text
    assert CANARY in caplog.text


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65_536


@pytest.mark.parametrize("body", [lambda: b" " * 1_048_577, endless], ids=["announced", "endless"])
async def test_a_large_body_is_refused(
    app_with_faults: FastAPI, client: AsyncClient, body: Callable[[], bytes | AsyncIterator[bytes]]
) -> None:
    response = await client.post("/credentials", content=body(), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert_is_problem(response.text, 413)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "localhost@evil.example"])
async def test_a_foreign_host_is_refused(client: AsyncClient, host: str) -> None:
    response = await client.get("/docs", headers={"Host": host})
    assert response.status_code == 400
    assert_is_problem(response.text, 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9", "[::1]:8000"])
async def test_an_allowed_host_is_answered(client: AsyncClient, host: str) -> None:
    assert (await client.get("/docs", headers={"Host": host})).status_code == 200


async def test_no_redirect_repeats_a_foreign_host(client: AsyncClient) -> None:
    for path in ("/health/", "/healthxyz"):
        response = await client.get(path, headers={"Host": "evil.example"})
        assert response.status_code == 400
        assert "evil" not in f"{response.headers} {response.text}"


async def test_a_probe_may_come_by_address(client: AsyncClient) -> None:
    assert (await client.get("/health", headers={"Host": "10.1.2.3:8000"})).status_code == 200


async def test_the_api_documentation_asks_no_other_host(client: AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    for path in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/static/vendor/swagger-ui/{path}" in page
        assert (await client.get(f"/static/vendor/swagger-ui/{path}")).status_code == 200


async def test_the_api_documents_problems_as_they_are(app_with_faults: FastAPI, client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    responses = document["paths"]["/credentials"]["post"]["responses"]
    assert set(responses) == {"200", "4XX", "5XX"}
    assert set(responses["4XX"]["content"]) == {"application/problem+json"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
