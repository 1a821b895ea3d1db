"""What a route may ask of who is there: ``user: CurrentUser``, or ``user: Annotated[User, allowed(Role.STAFF)]``."""

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2PasswordBearer

from app.db.session import Database
from app.errors import Forbidden, Unauthenticated
from app.features.users import sessions
from app.features.users.models import User
from app.features.users.roles import Role, may
from app.observe import context
from app.settings import Settings

__all__ = ["CurrentUser", "Identified", "Role", "allowed", "cookie_name", "identify", "may", "require_user"]

# For the Authorize button of /docs; identify() reads the header.
bearer = OAuth2PasswordBearer(tokenUrl="api/auth/token", auto_error=False)


def cookie_name(settings: Settings) -> str:
    """A browser takes a __Host- cookie only over TLS and from this very host."""
    return "__Host-session" if settings.environment == "production" else "session"


async def identify(request: Request) -> User | None:
    """Who sends this request, for every route of every feature: main.py sees to that.

    In a transaction of its own, so that a route which hashes a password holds none meanwhile.
    Errors: Unauthenticated, for a Bearer token that is not valid; a cookie that is not is as good as none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    if not is_bearer:
        token = request.cookies.get(cookie_name(request.app.state.settings), "")
    if not token:
        return None
    database: Database = request.app.state.database
    async with database.transaction(read_only=True) as session:
        found = await sessions.find(session, token)
    if found is None:
        if is_bearer:
            raise Unauthenticated("This token is not valid, or not any more.")
        return None
    user, request.state.session = found
    request.state.user = user
    who = context.actor.get()
    who.name, who.user_id = user.email, user.id
    return user


Identified = Annotated[User | None, Depends(identify)]


async def require_user(user: Identified, _: Annotated[str | None, Security(bearer)]) -> User:
    """Errors: Unauthenticated."""
    if user is None:
        raise Unauthenticated("Log in first.")
    return user


CurrentUser = Annotated[User, Depends(require_user)]


def allowed(*roles: Role) -> Any:  # Any: what Depends() says of itself
    """Somebody who holds one of the roles, or is a superuser.

    Errors: Unauthenticated, Forbidden.
    """

    async def require_role(user: CurrentUser) -> User:
        if not may(user, *roles):
            raise Forbidden("Your account may not do that.")
        return user

    return Depends(require_role)
