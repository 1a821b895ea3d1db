import re
from urllib.parse import urljoin, urlsplit

import pytest
from conftest import BROWSER, client_of
from databases import settings_for
from fastapi import FastAPI, Request, Response
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Forbidden, Unauthenticated
from app.features.users.models import User
from app.http import notices
from app.http.pages import Link, local_path, page, redirect
from app.main import create_app

HTMX = {"Accept": "text/html", "HX-Request": "true", "HX-Request-Type": "partial"}
FORGED = "<script>alert(1)</script>"


@pytest.fixture
def app() -> FastAPI:
    """Without a database: no page of these asks one."""
    app = create_app(settings_for("sqlite://", app_name="A <b> shop"))

    @app.get("/private")
    @app.post("/private")
    async def private() -> None:
        raise Unauthenticated("Sign in first.")

    @app.get("/forbidden")
    async def forbidden() -> None:
        raise Forbidden(f"Not for you: {FORGED}")

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("canary")

    @app.get("/number")
    async def number(value: int) -> None: ...

    @app.post("/saved")
    async def saved(request: Request, text: str, to: str = "/nothing") -> Response:
        return redirect(request, to, text)

    return app


def assert_is_page(response_text: str) -> None:
    assert response_text.startswith("<!doctype html>")
    assert response_text.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing", 404, "There is nothing at this address."),
        ("/static/nothing", 404, "There is nothing at this address."),
        ("/forbidden", 403, "Not for you: &lt;script&gt;"),
        ("/number?value=x", 422, "query.value"),
        ("/fault", 500, "It is not your fault."),
    ],
)
async def test_a_browser_gets_an_error_as_a_page(browser: AsyncClient, path: str, status: int, words: str) -> None:
    response = await browser.get(path)
    assert response.status_code == status
    assert_is_page(response.text)
    assert words in response.text
    assert FORGED not in response.text
    assert "canary" not in response.text


async def test_the_page_of_a_fault_names_the_request(browser: AsyncClient) -> None:
    response = await browser.get("/fault")
    assert f"<code>{response.headers['x-request-id']}</code>" in response.text


async def test_a_foreign_host_and_a_large_form_are_refused_with_a_page(browser: AsyncClient) -> None:
    foreign = await browser.get("/", headers={"Host": "evil.example"})
    large = await browser.post("/saved", content=b"x" * 1_048_577)
    assert (foreign.status_code, large.status_code) == (400, 413)
    for response in (foreign, large):
        assert_is_page(response.text)
        assert "evil" not in response.text


async def test_a_program_gets_a_problem_whatever_it_accepts_under_api(browser: AsyncClient) -> None:
    for path, accept in (("/nothing", "*/*"), ("/api/nothing", "text/html")):
        response = await browser.get(path, headers={"Accept": accept})
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


async def test_htmx_gets_the_message_alone(browser: AsyncClient) -> None:
    response = await browser.get("/forbidden", headers=HTMX)
    assert response.status_code == 403
    assert response.text.startswith('<div class="alert" role="alert">')
    assert "<html" not in response.text


async def test_a_page_that_cannot_be_made_still_leaves_an_answer(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> bool:
        raise RuntimeError("canary")

    app.state.navigation = (Link("Broken", "/broken", broken),)
    async with client_of(app) as client:
        response = await client.get("/nothing", headers=BROWSER)
    assert response.status_code == 500
    assert response.json()["title"] == "Internal Server Error"
    assert "canary" in caplog.text


async def test_who_is_unknown_is_sent_to_sign_in_and_back(browser: AsyncClient) -> None:
    response = await browser.get("/private?a=1&b=%C3%A9")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=/private%3Fa%3D1%26b%3D%25C3%25A9"


async def test_nobody_is_sent_back_to_where_a_form_went(browser: AsyncClient) -> None:
    response = await browser.post("/private")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=/")


async def test_a_program_and_htmx_are_told_401(browser: AsyncClient) -> None:
    program = await browser.get("/private", headers={"Accept": "application/json"})
    htmx = await browser.get("/private", headers=HTMX)
    for response in (program, htmx):
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
    assert htmx.headers["hx-redirect"] == "/login"


async def test_a_notice_is_shown_once_and_escaped(browser: AsyncClient) -> None:
    saved = await browser.post("/saved", params={"text": f"Saved. {FORGED} é"})
    assert (saved.status_code, saved.headers["location"]) == (303, "/nothing")
    cookie = saved.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=60", "Path=/"))

    first = await browser.get("/nothing")
    assert '<p class="notice" role="status">Saved. &lt;script&gt;' in first.text
    assert "notice" not in (await browser.get("/nothing")).text


async def test_a_part_of_a_page_leaves_the_notice_for_the_next_page(browser: AsyncClient) -> None:
    await browser.post("/saved", params={"text": "Saved."})
    await browser.get("/nothing", headers=HTMX)
    assert "Saved." in (await browser.get("/nothing")).text


@pytest.mark.parametrize("cookie", ["PHNjcmlwdD4=", "PHNjcmlwdD4=.", "PHNjcmlwdD4=.0000", ".", "é.é", "a.b.c", '"x"'])
async def test_a_notice_that_is_not_ours_is_not_shown(browser: AsyncClient, cookie: str) -> None:
    response = await browser.get("/nothing", headers={b"Cookie": f"{notices.COOKIE}={cookie}".encode()})
    assert response.status_code == 404
    assert 'class="notice"' not in response.text
    assert "Max-Age=0" in response.headers["set-cookie"]


async def test_no_redirect_leaves_this_host(browser: AsyncClient) -> None:
    for path in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        response = await browser.post("/saved", params={"text": "x", "to": path})
        assert response.headers["location"] == "/"


@pytest.mark.parametrize("path", ["/", "/notes", "/notes?cursor=a%20b&x=[1]#top", "/a//b"])
def test_a_local_path_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "text", [None, "", "notes", "//evil", "/\\evil", "\\/evil", "https:/x", "/a\n", "/\t/evil", "/a b", "/é", "/\0"]
)
def test_anything_else_is_replaced(text: str | None) -> None:
    assert local_path(text, "/account") == "/account"


@given(st.one_of(st.text(), st.text(alphabet="/\\:@.evil \t\n#?"), st.text().map(lambda text: f"/{text}")))
def test_no_text_leads_to_another_host(text: str) -> None:
    for found in (local_path(text), local_path(text.replace("\\", "/"))):
        target = urlsplit(urljoin("http://localhost/login", found.replace("\\", "/")))
        assert (target.scheme, target.netloc) == ("http", "localhost")


async def test_below_a_prefix_every_link_has_it(app: FastAPI) -> None:
    app.state.navigation = (Link("Shelf", "/shelf"),)
    transport = ASGITransport(app, root_path="/below")
    async with AsyncClient(transport=transport, base_url="http://localhost", headers=BROWSER) as client:
        texts = [(await client.get(path)).text for path in ("/below/nothing", "/below/static/nothing")]
        private = await client.get("/below/private")
        saved = await client.post("/below/saved", params={"text": "Saved.", "to": "/shelf"})
    for text in texts:
        links = re.findall(r'(?:href|src|action)="([^#"][^"]*)"', text)
        assert len(links) >= 8
        assert [link for link in links if not re.match(r"/below/(?!static/static)", link)] == []
    assert private.headers["location"] == "/below/login?next=/private"
    assert saved.headers["location"] == "/below/shelf"


async def test_the_navigation_shows_what_one_may_follow(app: FastAPI) -> None:
    app.state.navigation = (
        Link("Open", "/open"),
        Link("Staff", "/staff", lambda user: user is not None and user.is_staff),
    )

    @app.get("/open/{who}")
    async def look(request: Request, who: str) -> Response:
        if who == "staff":
            request.state.user = User(
                email="<a>@example.com", is_active=True, is_superuser=False, is_staff=True, group=None
            )
        return page(request, "error.html", {"status": 200, "title": "", "detail": "", "errors": [], "request_id": ""})

    async with client_of(app) as client:
        anonymous, staff = (await client.get("/open/nobody")).text, (await client.get("/open/staff")).text

    assert '<a href="/open" aria-current="page">Open</a>' in anonymous
    assert ">Staff</a>" not in anonymous
    assert all(f'href="{path}"' in anonymous for path in ("/login", "/register"))
    assert '<a href="/staff">Staff</a>' in staff
    assert "&lt;a&gt;@example.com" in staff
    assert '<form method="post" action="/logout">' in staff
    assert "/login" not in staff


async def test_a_page_names_the_service_escaped_and_speaks_utf8(browser: AsyncClient) -> None:
    response = await browser.get("/nothing")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Not Found · A &lt;b&gt; shop</title>" in response.text


async def test_half_a_character_breaks_no_page(app: FastAPI, browser: AsyncClient) -> None:
    @app.get("/half")
    async def half() -> None:
        raise Forbidden("\ud800")

    assert (await browser.get("/half")).status_code == 403


async def test_assets_are_kept_for_a_year_by_their_version(browser: AsyncClient) -> None:
    text = (await browser.get("/nothing")).text
    assets = re.findall(r'"(/static/[^"]+)"', text)
    assert len(assets) == 3
    for path in assets:
        bare = path.partition("?")[0]
        current, stale, none = [await browser.get(asked) for asked in (path, f"{bare}?v=0", bare)]
        again = await browser.get(path, headers={"If-None-Match": current.headers["etag"]})
        assert (current.status_code, again.status_code) == (200, 304)
        for response in (current, again):
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert stale.headers["cache-control"] == none.headers["cache-control"] == "no-cache"


def test_the_api_documentation_lists_no_page() -> None:
    paths = create_app(settings_for("sqlite://")).openapi()["paths"]
    assert paths
    assert all(path.startswith(("/api/", "/health")) for path in paths)
