"""Log in, register, and one's own account, for people."""

from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from app.features.users import service, sessions
from app.features.users.dependencies import CurrentUser, Identified, cookie_name
from app.features.users.models import LastSuperuser, User
from app.features.users.resources import CurrentResources, Resources
from app.features.users.schemas import (
    Deactivation,
    FirstSuperuser,
    Login,
    PasswordChange,
    Registration,
    Reset,
    ResetRequest,
    Verification,
)
from app.http.dependencies import Session
from app.http.forms import Form
from app.http.pages import local_path, page, redirect

router = APIRouter()

CHECK_MAIL = "Look into your mailbox."
Model = TypeVar("Model", bound=BaseModel)


def show(request: Request, name: str, form: Form[Model], **context: object) -> HTMLResponse:
    """One of our pages with its form: 422 where that was sent and is not right."""
    status = 422 if form.errors else 200
    return page(request, f"users/templates/{name}.html", {"form": form, **context}, status=status)


def logged_in(request: Request, held: Resources, token: str, path: str, notice: str) -> Response:
    """On to the next page, with the cookie of a new session."""
    response = redirect(request, path, notice)
    response.set_cookie(
        cookie_name(held.settings),
        token,
        max_age=held.settings.session_days * 86_400,
        httponly=True,
        samesite="lax",
        secure=held.settings.environment == "production" or request.url.scheme == "https",
    )
    return response


@router.get("/login")
async def login_page(request: Request, user: Identified, next: str = "/") -> Response:  # noqa: A002 # as all call it
    if user:
        return redirect(request, local_path(next))
    return show(request, "login", Form.of({}), next=local_path(next))


@router.post("/login")
async def log_in(request: Request, held: CurrentResources, next: str = "/") -> Response:  # noqa: A002
    form = await Form.read(request, Login)
    if form.data:
        try:
            token = await sessions.log_in(held, form.data)
            return logged_in(request, held, token, local_path(next), "Welcome back.")
        except sessions.WrongCredentials as error:
            form.fail("", str(error))
    return show(request, "login", form, next=local_path(next))


@router.post("/logout")
async def log_out(request: Request, held: CurrentResources, session: Session, user: Identified) -> Response:
    if user:
        await sessions.end(session, user.id, request.state.session.id)
    response = redirect(request, "/", "You are logged out.")
    # A __Host- cookie is deleted only by one that keeps its rules.
    secure = held.settings.environment == "production"
    response.delete_cookie(cookie_name(held.settings), httponly=True, samesite="lax", secure=secure)
    return response


@router.get("/register")
async def register_page(request: Request, held: CurrentResources) -> HTMLResponse:
    return show(request, "register", Form.of({}), is_open=held.settings.registration_open)


@router.post("/register")
async def register(request: Request, held: CurrentResources) -> Response:
    form = await Form.read(request, Registration)
    if form.data is None:
        return show(request, "register", form, is_open=held.settings.registration_open)
    await service.register(held, form.data)
    return redirect(request, "/login", f"{CHECK_MAIL} You can log in already.")


@router.get("/verify")
async def verify_page(request: Request, token: str = "") -> HTMLResponse:
    """With a button: mail programs open links by themselves, to look at them."""
    return show(request, "verify", Form.of({"token": token}))


@router.post("/verify")
async def verify(request: Request, held: CurrentResources) -> Response:
    form = await Form.read(request, Verification)
    if form.data:
        try:
            await service.verify(held, form.data.token)
            return redirect(request, "/account", "Your address is confirmed.")
        except service.LinkExpired as error:
            form.fail("", str(error))
    return show(request, "verify", form)


@router.post("/verify/request")
async def request_verification(request: Request, held: CurrentResources, user: CurrentUser) -> Response:
    await service.request_verification(held, user)
    return redirect(request, "/account", CHECK_MAIL)


@router.get("/reset")
async def reset_page(request: Request) -> HTMLResponse:
    return show(request, "reset", Form.of({}))


@router.post("/reset")
async def request_reset(request: Request, held: CurrentResources) -> Response:
    form = await Form.read(request, ResetRequest)
    if form.data is None:
        return show(request, "reset", form)
    await service.request_reset(held, form.data.email)
    return redirect(request, "/login", CHECK_MAIL)


@router.get("/reset/choose")
async def choose_page(request: Request, token: str = "") -> HTMLResponse:
    return show(request, "choose", Form.of({"token": token}))


@router.post("/reset/choose")
async def choose(request: Request, held: CurrentResources) -> Response:
    form = await Form.read(request, Reset)
    if form.data:
        try:
            await service.reset_password(held, form.data)
            return redirect(request, "/login", "You have a new password: log in with it.")
        except service.LinkExpired as error:
            form.fail("", str(error))
    return show(request, "choose", form)


@router.get("/first-superuser")
async def first_superuser_page(request: Request, token: str = "") -> HTMLResponse:
    """Where the link leads that is printed while there is no superuser."""
    return show(request, "first_superuser", Form.of({"token": token}))


@router.post("/first-superuser")
async def create_first_superuser(request: Request, held: CurrentResources) -> Response:
    form = await Form.read(request, FirstSuperuser)
    if form.data:
        try:
            await service.create_first_superuser(held, form.data)
            return redirect(request, "/login", "You may do everything now: log in.")
        except (service.LinkExpired, service.EmailTaken) as error:
            form.fail("", str(error))
    return show(request, "first_superuser", form)


@router.get("/account")
async def account_page(request: Request, session: Session, user: CurrentUser) -> HTMLResponse:
    return await _account(request, session, user)


async def _account(
    request: Request,
    session: Session,
    user: User,
    change: Form[PasswordChange] | None = None,
    goodbye: Form[Deactivation] | None = None,
) -> HTMLResponse:
    context = {
        "sessions": await sessions.list_of(session, user.id),
        "this_session": request.state.session.id,
        "change": change or Form.of({}),
        "goodbye": goodbye or Form.of({}),
    }
    status = 422 if change or goodbye else 200
    return page(request, "users/templates/account.html", context, status=status)


@router.post("/account/password")
async def change_password(request: Request, held: CurrentResources, user: CurrentUser) -> Response:
    form = await Form.read(request, PasswordChange)
    if form.data:
        try:
            changed = await service.change_password(held, user, form.data)
            token = await sessions.start(held, changed)
            return logged_in(request, held, token, "/account", "Your password is changed. Other sessions are ended.")
        except service.WrongPassword as error:
            form.fail("current_password", str(error))
    async with held.database.transaction(read_only=True) as session:
        return await _account(request, session, user, change=form)


@router.post("/account/deactivate")
async def deactivate(request: Request, held: CurrentResources, user: CurrentUser) -> Response:
    form = await Form.read(request, Deactivation)
    if form.data:
        try:
            await service.deactivate(held, user, form.data.password)
            return redirect(request, "/", "Your account is deactivated.")
        except (service.WrongPassword, LastSuperuser) as error:
            form.fail("password", str(error))
    async with held.database.transaction(read_only=True) as session:
        return await _account(request, session, user, goodbye=form)


@router.post("/account/sessions/{session_id}/end")
async def end_session(request: Request, session: Session, user: CurrentUser, session_id: UUID) -> Response:
    await sessions.end(session, user.id, session_id)
    return redirect(request, "/account", "That session is ended.")
