from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Forbidden, NotFound
from app.features.posts.models import Post, PostLike
from app.features.posts.schemas import PostCreate, PostUpdate
from app.features.users.dependencies import Role, may
from app.features.users.models import User
from app.http.pagination import PageQuery, newest_first


class PostNotFound(NotFound):
    """There is no post of that id."""


class NotYours(Forbidden):
    """A post is its author's, and staff's."""


def may_change(user: User | None, post: Post) -> bool:
    return user is not None and (post.author_id == user.id or may(user, Role.STAFF))


async def get(session: AsyncSession, post_id: UUID) -> Post:
    """Errors: PostNotFound."""
    post = await session.get(Post, post_id)
    if post is None:
        raise PostNotFound("There is no such post.")
    return post


async def get_to_change(session: AsyncSession, post_id: UUID, user: User) -> Post:
    """Errors: PostNotFound, NotYours."""
    post = await get(session, post_id)
    if not may_change(user, post):
        raise NotYours("This post is somebody else's.")
    return post


async def list_page(session: AsyncSession, query: PageQuery) -> tuple[list[Post], str | None]:
    """The newest posts first, and the cursor of the next page: None on the last one."""
    return await newest_first(session, select(Post), Post.created_at, Post.id, query)


async def create(session: AsyncSession, wanted: PostCreate, user: User) -> Post:
    # The whole address is nobody else's business.
    author = user.email.partition("@")[0]
    post = Post(title=wanted.title, body=wanted.body, author=author, author_id=user.id)
    session.add(post)
    await session.flush()
    return post


async def update(session: AsyncSession, post_id: UUID, wanted: PostUpdate, user: User) -> Post:
    """Errors: PostNotFound, NotYours."""
    post = await get_to_change(session, post_id, user)
    for name in wanted.model_fields_set:
        setattr(post, name, getattr(wanted, name))
    await session.flush()
    return post


async def delete(session: AsyncSession, post_id: UUID, user: User) -> None:
    """Errors: PostNotFound, NotYours."""
    await session.delete(await get_to_change(session, post_id, user))
    await session.flush()


async def toggle_like(session: AsyncSession, post_id: UUID, user: User) -> tuple[Post, bool]:
    """The post, and whether the user likes it now.

    Errors: PostNotFound.
    """
    # Lock first: who likes the same post takes turns, so that none is counted upon an old number.
    post = await session.get(Post, post_id, with_for_update=True)
    if post is None:
        raise PostNotFound("There is no such post.")
    like = await session.scalar(select(PostLike).where(PostLike.post_id == post_id, PostLike.user_id == user.id))
    if like:
        await session.delete(like)
    else:
        session.add(PostLike(post_id=post_id, user_id=user.id))
    post.likes += -1 if like else 1
    await session.flush()
    return post, like is None


async def liked_by(session: AsyncSession, user: User | None, posts: Iterable[Post]) -> set[UUID]:
    """Those of the posts that the user likes."""
    if user is None:
        return set()
    ids = [post.id for post in posts]
    statement = select(PostLike.post_id).where(PostLike.user_id == user.id, PostLike.post_id.in_(ids))
    return set(await session.scalars(statement))
