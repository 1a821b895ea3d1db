import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from conftest import client_of
from httpx import AsyncClient
from people import headers_of, person, token_of
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database
from app.features.posts.models import Post, PostLike
from app.features.users.models import User
from app.main import create_app
from app.settings import Settings

TEXT = {"title": "Hello", "body": "First line.\nSecond line."}


@pytest.fixture
async def ada(session: AsyncSession) -> User:
    return await person(session, email="ada@example.com")


@pytest.fixture
async def author(client: AsyncClient, session: AsyncSession, ada: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {await token_of(session, ada)}"}


@pytest.fixture
async def post(session: AsyncSession, ada: User) -> Post:
    post = Post(**TEXT, author="ada", author_id=ada.id)
    session.add(post)
    await session.flush()
    return post


async def test_what_is_written_can_be_read_by_everybody(client: AsyncClient, author: dict[str, str], ada: User) -> None:
    created = await client.post("/api/posts", json={**TEXT, "title": " Hello "}, headers=author)
    assert created.status_code == 201
    shown = (await client.get(f"/api/posts/{created.json()['id']}")).json()
    assert shown == created.json()
    assert shown.items() >= {**TEXT, "author": "ada", "author_id": str(ada.id), "likes": 0}.items()


async def test_nobody_chooses_author_or_likes(client: AsyncClient, author: dict[str, str], ada: User) -> None:
    forged = {**TEXT, "author": "Grace", "author_id": str(uuid4()), "likes": 99}
    created = (await client.post("/api/posts", json=forged, headers=author)).json()
    changed = await client.patch(f"/api/posts/{created['id']}", json=forged, headers=author)
    for shown in (created, changed.json()):
        assert (shown["author"], shown["author_id"], shown["likes"]) == ("ada", str(ada.id), 0)


async def test_pages_follow_each_other_from_the_newest(client: AsyncClient, session: AsyncSession) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for number in range(5):
        session.add(Post(title=str(number), body="x", author="a", created_at=noon + timedelta(hours=number // 2)))
    await session.flush()
    seen: list[str] = []
    query = {"limit": "2"}
    for _ in range(3):
        page = (await client.get("/api/posts", params=query)).json()
        seen += [item["title"] for item in page["items"]]
        query["cursor"] = page["next_cursor"] or ""
    assert seen[0] == "4"
    assert sorted(seen) == ["0", "1", "2", "3", "4"]
    assert page["next_cursor"] is None


INVALID: list[tuple[str, list[object]]] = [
    ("title", [None, "", " \t\u3000", "x" * 201, "a\0b", 5, True]),
    ("body", [None, "", "\n \n", "x" * 10_001, "\0", []]),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in INVALID for value in values])
async def test_what_is_not_valid_is_refused_and_changes_nothing(
    client: AsyncClient, author: dict[str, str], post: Post, field: str, value: object
) -> None:
    created = await client.post("/api/posts", json={**TEXT, field: value}, headers=author)
    updated = await client.patch(f"/api/posts/{post.id}", json={field: value}, headers=author)
    for response in (created, updated):
        assert response.status_code == 422
        assert response.json()["errors"][0]["location"] == f"body.{field}"
    [stored] = (await client.get("/api/posts")).json()["items"]
    assert stored.items() >= TEXT.items()


async def test_half_a_character_is_refused(client: AsyncClient, author: dict[str, str]) -> None:
    headers = {**author, "Content-Type": "application/json"}
    response = await client.post("/api/posts", content=rb'{"title": "\ud800", "body": "x"}', headers=headers)
    assert response.status_code == 422


@pytest.mark.parametrize("query", ["limit=0", f"limit={'9' * 5000}", "cursor=zzz"])
async def test_a_wrong_query_is_refused(client: AsyncClient, query: str) -> None:
    assert (await client.get(f"/api/posts?{query}")).status_code == 422


@pytest.mark.parametrize("kind", ["author", "staff", "superuser"])
async def test_its_author_and_staff_change_and_delete_a_post(
    client: AsyncClient, session: AsyncSession, author: dict[str, str], post: Post, kind: str
) -> None:
    headers = author if kind == "author" else await headers_of(session, kind)
    path = f"/api/posts/{post.id}"
    changed = await client.patch(path, json={"title": "Changed"}, headers=headers)
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["body"], changed.json()["author"]) == (
        "Changed", TEXT["body"], "ada",
    )  # fmt: skip
    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(("kind", "status"), [("anonymous", 401), ("user", 403), ("marketing", 403)])
async def test_nobody_else_does(client: AsyncClient, session: AsyncSession, post: Post, kind: str, status: int) -> None:
    headers = await headers_of(session, kind)
    path = f"/api/posts/{post.id}"
    assert (await client.patch(path, json={"title": "Stolen"}, headers=headers)).status_code == status
    assert (await client.delete(path, headers=headers)).status_code == status
    assert (await client.get(path)).json()["title"] == "Hello"


async def test_a_post_that_is_nobodys_is_not_everybodys(client: AsyncClient, session: AsyncSession) -> None:
    orphan = Post(title="Old", body="x", author="Grace")
    session.add(orphan)
    await session.flush()
    headers = await headers_of(session, "user")
    assert (await client.delete(f"/api/posts/{orphan.id}", headers=headers)).status_code == 403


async def test_a_missing_post_is_a_problem(client: AsyncClient, author: dict[str, str]) -> None:
    path = f"/api/posts/{uuid4()}"
    for method, target in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/like")):
        response = await client.request(method, target, headers=author, json={"title": "x"})
        assert (response.status_code, response.json()["detail"]) == (404, "There is no such post.")


async def test_a_like_counts_once_and_can_be_taken_back(
    client: AsyncClient, session: AsyncSession, author: dict[str, str], post: Post
) -> None:
    other = await headers_of(session, "user")
    answers = [
        (await client.post(f"/api/posts/{post.id}/like", headers=headers)).json()
        for headers in (author, other, author, author)
    ]
    assert [(answer["likes"], answer["liked"]) for answer in answers] == [(1, True), (2, True), (1, False), (2, True)]
    assert (await client.get(f"/api/posts/{post.id}")).json()["likes"] == 2


async def test_who_is_not_logged_in_likes_nothing(client: AsyncClient, post: Post) -> None:
    assert (await client.post(f"/api/posts/{post.id}/like")).status_code == 401
    assert (await client.get(f"/api/posts/{post.id}")).json()["likes"] == 0


async def test_posts_and_likes_outlive_the_account(
    client: AsyncClient, session: AsyncSession, author: dict[str, str], ada: User, post: Post
) -> None:
    await client.post(f"/api/posts/{post.id}/like", headers=author)
    await session.delete(ada)
    await session.flush()
    shown = (await client.get(f"/api/posts/{post.id}")).json()
    assert (shown["author"], shown["author_id"], shown["likes"]) == ("ada", None, 1)
    assert await session.scalar(select(func.count()).select_from(PostLike)) == 1


async def test_likes_go_with_their_post(
    client: AsyncClient, session: AsyncSession, author: dict[str, str], post: Post
) -> None:
    await client.post(f"/api/posts/{post.id}/like", headers=author)
    await client.delete(f"/api/posts/{post.id}", headers=author)
    assert await session.scalar(select(func.count()).select_from(PostLike)) == 0


async def test_twenty_likes_at_the_same_time_are_twenty(own_settings: Settings, own_database: Database) -> None:
    async with own_database.transaction() as session:
        everybody = [await headers_of(session, "user") for _ in range(20)]
        post = Post(**TEXT, author="ada", id=uuid4())
        session.add(post)
    app = create_app(own_settings)
    app.state.database = own_database

    async with client_of(app) as client:
        path = f"/api/posts/{post.id}"
        answers = await asyncio.gather(*(client.post(f"{path}/like", headers=headers) for headers in everybody))
        assert sorted(answer.json()["likes"] for answer in answers) == list(range(1, 21))
        assert (await client.get(path)).json()["likes"] == 20

        # The same person, impatiently: each click counts once, in one order or another.
        clicks = await asyncio.gather(*(client.post(f"{path}/like", headers=everybody[0]) for _ in range(5)))
        assert sorted(click.json()["likes"] for click in clicks) == [19, 19, 19, 20, 20]
    async with own_database.transaction(read_only=True) as session:
        assert await session.scalar(select(func.count()).select_from(PostLike)) == 19
        assert (await session.get_one(Post, post.id)).likes == 19
