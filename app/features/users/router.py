from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import SecretStr, ValidationError

from app.errors import Invalid
from app.features.users import service, sessions
from app.features.users.dependencies import CurrentUser, Role, allowed
from app.features.users.models import User
from app.features.users.resources import CurrentResources
from app.features.users.schemas import (
    Accepted,
    Deactivation,
    Login,
    PasswordChange,
    Registration,
    Reset,
    ResetRequest,
    SessionRead,
    Token,
    UserRead,
    UserUpdate,
    Verification,
)
from app.http.dependencies import Session
from app.http.pagination import Page, PageQuery

router = APIRouter(prefix="/api", tags=["accounts"])

Superuser = Annotated[User, allowed(Role.SUPERUSER)]

# The same whether or not there is such an account.
LOOK = Accepted(message="Look into your mailbox.")


@router.post("/auth/token")
async def log_in(held: CurrentResources, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
    """username is the e-mail address. The token goes into a header: Authorization: Bearer …"""
    try:
        wanted = Login(email=form.username, password=SecretStr(form.password))
    except ValidationError:
        raise Invalid("username should be an e-mail address, password a password.") from None
    token = await sessions.log_in(held, wanted)
    return Token(access_token=token, expires_in=held.settings.session_days * 86_400)


@router.delete("/auth/token", status_code=204)
async def log_out(request: Request, session: Session, user: CurrentUser) -> None:
    """End the session that asks for it."""
    await sessions.end(session, user.id, request.state.session.id)


@router.post("/auth/register", status_code=202)
async def register(held: CurrentResources, wanted: Registration) -> Accepted:
    await service.register(held, wanted)
    return LOOK


@router.post("/auth/verify", status_code=204)
async def verify(held: CurrentResources, wanted: Verification) -> None:
    """Confirm an e-mail address by the token of the letter."""
    await service.verify(held, wanted.token)


@router.post("/auth/verify/request", status_code=202)
async def request_verification(held: CurrentResources, user: CurrentUser) -> Accepted:
    await service.request_verification(held, user)
    return LOOK


@router.post("/auth/reset/request", status_code=202)
async def request_reset(held: CurrentResources, wanted: ResetRequest) -> Accepted:
    await service.request_reset(held, wanted.email)
    return LOOK


@router.post("/auth/reset", status_code=204)
async def reset_password(held: CurrentResources, wanted: Reset) -> None:
    """Choose a new password by the token of the letter. Every session ends."""
    await service.reset_password(held, wanted)


@router.get("/me")
async def get_me(user: CurrentUser) -> UserRead:
    return UserRead.model_validate(user)


@router.post("/me/password", status_code=204)
async def change_password(held: CurrentResources, user: CurrentUser, wanted: PasswordChange) -> None:
    """Every session ends, this one too."""
    await service.change_password(held, user, wanted)


@router.post("/me/deactivate", status_code=204)
async def deactivate_me(held: CurrentResources, user: CurrentUser, wanted: Deactivation) -> None:
    """Every session ends. A superuser can activate the account again."""
    await service.deactivate(held, user, wanted.password)


@router.get("/me/sessions")
async def list_sessions(session: Session, user: CurrentUser) -> list[SessionRead]:
    return [SessionRead.model_validate(each) for each in await sessions.list_of(session, user.id)]


@router.delete("/me/sessions/{session_id}", status_code=204)
async def end_session(session: Session, user: CurrentUser, session_id: UUID) -> None:
    await sessions.end(session, user.id, session_id)


@router.get("/users")
async def list_users(session: Session, _: Superuser, query: Annotated[PageQuery, Query()]) -> Page[UserRead]:
    users, next_cursor = await service.list_page(session, query)
    return Page(items=[UserRead.model_validate(user) for user in users], next_cursor=next_cursor)


@router.get("/users/{user_id}")
async def get_user(session: Session, _: Superuser, user_id: UUID) -> UserRead:
    return UserRead.model_validate(await service.get(session, user_id))


@router.patch("/users/{user_id}")
async def update_user(session: Session, _: Superuser, user_id: UUID, wanted: UserUpdate) -> UserRead:
    user = await service.get(session, user_id)
    return UserRead.model_validate(await service.update(session, user, wanted))
