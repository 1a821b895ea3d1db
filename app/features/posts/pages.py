from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.features.posts import service
from app.features.posts.schemas import PostCreate, PostUpdate
from app.features.users.dependencies import CurrentUser, Identified
from app.http.dependencies import Session
from app.http.forms import Form
from app.http.pages import Link, page, redirect, wants_fragment
from app.http.pagination import PageQuery

LINKS = (Link("Posts", "/posts"),)
FOLDER = "posts/templates"

router = APIRouter(prefix="/posts")


@router.get("")
async def list_posts(
    request: Request, session: Session, user: Identified, query: Annotated[PageQuery, Query()]
) -> HTMLResponse:
    posts, next_cursor = await service.list_page(session, query)
    liked = await service.liked_by(session, user, posts)
    return page(request, f"{FOLDER}/list.html", {"posts": posts, "liked": liked, "next_cursor": next_cursor})


@router.get("/new")
async def new_post(request: Request, _: CurrentUser) -> HTMLResponse:
    return page(request, f"{FOLDER}/new.html", {"form": Form.of({})})


@router.post("/new")
async def create_post(request: Request, session: Session, user: CurrentUser) -> Response:
    form = await Form.read(request, PostCreate)
    if form.data is None:
        return page(request, f"{FOLDER}/new.html", {"form": form}, status=422)
    post = await service.create(session, form.data, user)
    return redirect(request, f"/posts/{post.id}", "Your post is published.")


@router.get("/{post_id}")
async def show_post(request: Request, session: Session, user: Identified, post_id: UUID) -> HTMLResponse:
    post = await service.get(session, post_id)
    liked = await service.liked_by(session, user, [post])
    context = {"post": post, "liked": liked, "may_change": service.may_change(user, post)}
    return page(request, f"{FOLDER}/post.html", context)


@router.get("/{post_id}/edit")
async def edit_post(request: Request, session: Session, user: CurrentUser, post_id: UUID) -> HTMLResponse:
    post = await service.get_to_change(session, post_id, user)
    return page(request, f"{FOLDER}/edit.html", {"form": Form.of(post), "post": post})


@router.post("/{post_id}/edit")
async def update_post(request: Request, session: Session, user: CurrentUser, post_id: UUID) -> Response:
    post = await service.get_to_change(session, post_id, user)
    form = await Form.read(request, PostUpdate)
    if form.data is None:
        return page(request, f"{FOLDER}/edit.html", {"form": form, "post": post}, status=422)
    await service.update(session, post_id, form.data, user)
    return redirect(request, f"/posts/{post_id}", "The post is saved.")


@router.post("/{post_id}/delete")
async def delete_post(request: Request, session: Session, user: CurrentUser, post_id: UUID) -> Response:
    await service.delete(session, post_id, user)
    return redirect(request, "/posts", "The post is gone.")


@router.post("/{post_id}/like")
async def like_post(request: Request, session: Session, user: CurrentUser, post_id: UUID) -> Response:
    post, liked = await service.toggle_like(session, post_id, user)
    if wants_fragment(request):
        return page(request, f"{FOLDER}/like.html", {"post": post, "liked": {post.id} if liked else ()})
    return redirect(request, f"/posts/{post.id}")
