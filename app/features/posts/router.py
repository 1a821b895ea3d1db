from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.features.posts import service
from app.features.posts.schemas import LikeRead, PostCreate, PostRead, PostUpdate
from app.features.users.dependencies import CurrentUser
from app.http.dependencies import Session
from app.http.pagination import Page, PageQuery

router = APIRouter(prefix="/api/posts", tags=["posts"])


@router.get("")
async def list_posts(session: Session, query: Annotated[PageQuery, Query()]) -> Page[PostRead]:
    posts, next_cursor = await service.list_page(session, query)
    return Page(items=[PostRead.model_validate(post) for post in posts], next_cursor=next_cursor)


@router.post("", status_code=201)
async def create_post(session: Session, user: CurrentUser, wanted: PostCreate) -> PostRead:
    return PostRead.model_validate(await service.create(session, wanted, user))


@router.get("/{post_id}")
async def get_post(session: Session, post_id: UUID) -> PostRead:
    return PostRead.model_validate(await service.get(session, post_id))


@router.patch("/{post_id}")
async def update_post(session: Session, user: CurrentUser, post_id: UUID, wanted: PostUpdate) -> PostRead:
    """By its author, or by staff."""
    return PostRead.model_validate(await service.update(session, post_id, wanted, user))


@router.delete("/{post_id}", status_code=204)
async def delete_post(session: Session, user: CurrentUser, post_id: UUID) -> None:
    """By its author, or by staff."""
    await service.delete(session, post_id, user)


@router.post("/{post_id}/like")
async def like_post(session: Session, user: CurrentUser, post_id: UUID) -> LikeRead:
    """Like it, or take the like back."""
    post, liked = await service.toggle_like(session, post_id, user)
    return LikeRead(likes=post.likes, liked=liked)
