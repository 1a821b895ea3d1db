import re
from uuid import uuid4

import pytest
from httpx import AsyncClient
from people import cookies_of, person, token_of
from queries import counted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.features.posts.models import Post
from app.features.users.models import User

FORGED = "<script>alert(1)</script>"
TYPED = {"title": "Hello", "body": "First line.\nSecond line."}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
MAX_BYTES = 100_000


@pytest.fixture
async def ada(session: AsyncSession) -> User:
    return await person(session, email="ada@example.com")


@pytest.fixture
async def author(browser: AsyncClient, session: AsyncSession, ada: User) -> AsyncClient:
    browser.cookies.set("session", await token_of(session, ada))
    return browser


@pytest.fixture
async def post(session: AsyncSession, ada: User) -> Post:
    post = Post(**TYPED, author="ada", author_id=ada.id)
    session.add(post)
    await session.flush()
    return post


async def test_somebody_writes_changes_and_deletes_a_post(author: AsyncClient) -> None:
    created = await author.post("/posts/new", data=TYPED)
    assert created.status_code == 303
    path = created.headers["location"]
    shown = (await author.get(path)).text
    assert "Your post is published." in shown
    assert "<h1>Hello</h1>" in shown
    assert "ada ·" in shown
    form = (await author.get(f"{path}/edit")).text
    assert 'value="Hello"' in form
    assert "First line.\nSecond line.</textarea>" in form
    changed = await author.post(f"{path}/edit", data={**TYPED, "title": "Changed"})
    assert (changed.status_code, changed.headers["location"]) == (303, path)
    assert "<h1>Changed</h1>" in (await author.get(path)).text
    [delete] = re.findall(r'action="([^"]+/delete)"', (await author.get(path)).text)
    assert (await author.post(delete)).headers["location"] == "/posts"
    assert (await author.get(path)).status_code == 404


async def test_html_is_shown_and_not_run_and_lines_stay(browser: AsyncClient, session: AsyncSession) -> None:
    post = Post(title=FORGED, body=f"One {FORGED}\ntwo", author=FORGED)
    session.add(post)
    await session.flush()
    for path in ("/posts", f"/posts/{post.id}"):
        text = (await browser.get(path)).text
        assert FORGED not in text
        assert '<p class="text">One &lt;script&gt;alert(1)&lt;/script&gt;\ntwo</p>' in text
    css = (await browser.get("/static/app.css")).text
    assert ".text { white-space: pre-line; }" in css


async def test_the_list_is_read_page_by_page(browser: AsyncClient, session: AsyncSession) -> None:
    session.add_all([Post(title=f"Post {number}", body="x" * 400, author="a") for number in range(25)])
    await session.flush()
    first = (await browser.get("/posts")).text
    [following] = re.findall(r'href="(\?[^"]+)" rel="next"', first)
    second = (await browser.get(f"/posts{following.replace('&amp;', '&')}")).text
    titles = re.findall(r"<h2><a [^>]*>(Post \d+)<", first + second)
    assert sorted(titles) == sorted(f"Post {number}" for number in range(25))
    assert "x" * 281 not in first


async def test_an_empty_list_says_so(browser: AsyncClient) -> None:
    assert "Nobody has written anything yet." in (await browser.get("/posts")).text


async def test_a_missing_post_is_a_page(browser: AsyncClient) -> None:
    response = await browser.get(f"/posts/{uuid4()}")
    assert (response.status_code, "There is no such post." in response.text) == (404, True)


@pytest.mark.parametrize("query", ["limit=0", "cursor=zzz", f"limit={'9' * 5000}"])
async def test_a_wrong_query_is_refused_with_a_page(browser: AsyncClient, query: str) -> None:
    response = await browser.get(f"/posts?{query}")
    assert response.status_code == 422
    assert response.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("title", "  "), ("title", "x" * 201), ("title", "\0"), ("body", "\r\n"), ("body", "x" * 10_001)],
)
async def test_a_form_that_is_wrong_comes_back_with_what_was_typed(
    author: AsyncClient, post: Post, field: str, value: str
) -> None:
    typed = {"title": "Typed title", "body": "Typed text", field: value}
    for path in ("/posts/new", f"/posts/{post.id}/edit"):
        response = await author.post(path, data=typed)
        assert response.status_code == 422
        assert f'id="{field}-error"' in response.text
        assert ("Typed text" if field == "title" else "Typed title") in response.text
    assert [item["title"] for item in (await author.get("/api/posts")).json()["items"]] == ["Hello"]


@pytest.mark.parametrize(("kind", "status"), [("anonymous", 303), ("user", 403)])
async def test_a_post_of_somebody_else_stays(
    browser: AsyncClient, session: AsyncSession, post: Post, kind: str, status: int
) -> None:
    if kind != "anonymous":
        browser.cookies.update(await cookies_of(session, kind))
    path = f"/posts/{post.id}"
    shown = (await browser.get(path)).text
    assert "/edit" not in shown
    assert "/delete" not in shown
    for response in (
        await browser.get(f"{path}/edit"),
        await browser.post(f"{path}/edit", data=TYPED),
        await browser.post(f"{path}/delete"),
    ):
        assert response.status_code == status
    assert (await browser.get(path)).status_code == 200


async def test_staff_may_correct_a_post(browser: AsyncClient, session: AsyncSession, post: Post) -> None:
    browser.cookies.update(await cookies_of(session, "staff"))
    assert (await browser.post(f"/posts/{post.id}/edit", data={**TYPED, "title": "Mild"})).status_code == 303
    shown = (await browser.get(f"/posts/{post.id}")).text
    assert "<h1>Mild</h1>" in shown
    assert "ada ·" in shown


async def test_a_like_without_javascript_goes_back_to_the_post(author: AsyncClient, post: Post) -> None:
    path = f"/posts/{post.id}"
    [target] = re.findall(r'action="([^"]+/like)"', (await author.get("/posts")).text)
    for pressed, words in (("true", "1 like<"), ("false", "0 likes<")):
        response = await author.post(target)
        assert (response.status_code, response.headers["location"]) == (303, path)
        for page in (path, "/posts"):
            shown = (await author.get(page)).text
            assert f'aria-pressed="{pressed}"' in shown
            assert words in shown


async def test_htmx_gets_the_button_with_its_number(author: AsyncClient, post: Post) -> None:
    response = await author.post(f"/posts/{post.id}/like", headers=HTMX)
    assert response.status_code == 200
    assert response.text.startswith(f'<div class="like" id="like-{post.id}">')
    assert 'aria-pressed="true"' in response.text
    assert "1 like<" in response.text
    assert 'aria-pressed="false"' in (await author.post(f"/posts/{post.id}/like", headers=HTMX)).text


async def test_who_is_not_logged_in_sees_the_number_and_is_sent_to_log_in(browser: AsyncClient, post: Post) -> None:
    shown = (await browser.get(f"/posts/{post.id}")).text
    assert "0 likes" in shown
    assert "/like" not in shown
    assert f'href="/login?next=/posts/{post.id}"' in shown
    plain = await browser.post(f"/posts/{post.id}/like")
    htmx = await browser.post(f"/posts/{post.id}/like", headers=HTMX)
    assert (plain.status_code, plain.headers["location"]) == (303, "/login?next=/")
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (401, "/login")
    asked = await browser.get("/posts/new")
    assert asked.headers["location"] == "/login?next=/posts/new"


async def test_the_pages_are_light_and_ask_little(
    author: AsyncClient, session: AsyncSession, post: Post, engine: AsyncEngine
) -> None:
    long = Post(title="x" * 200, body="<" * 10_000, author="a")
    session.add_all([long, *(Post(title="Cup " * 20, body="text " * 200, author="a") for _ in range(20))])
    await session.flush()
    weights = [len((await author.get(f"/static/{name}")).content) for name in ("app.css", "vendor/htmx/htmx.min.js")]
    for path in ("/posts", "/posts/new", f"/posts/{post.id}", f"/posts/{long.id}", f"/posts/{post.id}/edit"):
        with counted(engine) as statements:
            response = await author.get(path)
        assert 1 <= len(statements) <= 3, statements
        assert len(response.content) + sum(weights) < MAX_BYTES
