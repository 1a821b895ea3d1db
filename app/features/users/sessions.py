"""Who is logged in: by a browser's cookie or a program's token, both rows of one table."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.errors import NotFound, Unauthenticated
from app.features.users import passwords, tokens
from app.features.users.models import User, UserSession
from app.features.users.resources import Resources
from app.features.users.schemas import Login
from app.observe import context


class WrongCredentials(Unauthenticated):
    """No such user, a wrong password, or a deactivated account: nobody learns which."""


class SessionNotFound(NotFound):
    """No session of that id, or somebody else's."""


async def log_in(held: Resources, wanted: Login) -> str:
    """The token of a new session: the only time that anybody sees it.

    Errors: WrongCredentials, after the same time whatever was wrong; TooManyRequests.
    """
    await held.throttle.attempt("log in", wanted.email)
    async with held.database.transaction(read_only=True) as session:
        user = await session.scalar(select(User).where(User.email == wanted.email))
    known = user.hashed_password if user else passwords.NOBODYS_HASH
    is_right, newer_hash = await passwords.verified(wanted.password.get_secret_value(), known)
    if user is None or not is_right or not user.is_active:
        raise WrongCredentials("Wrong e-mail address or password.")
    await held.throttle.forgive("log in", wanted.email)
    return await start(held, user, newer_hash)


async def start(held: Resources, user: User, newer_hash: str | None = None) -> str:
    """A new session's token. Sessions of that user that have expired are swept away.

    Errors: WrongCredentials, where the account was changed since it was looked at.
    """
    token = tokens.new_session_token()
    who = context.actor.get()
    who.name, who.user_id = user.email, user.id
    async with held.database.transaction() as session:
        current = await session.get(User, user.id, with_for_update=True)
        if current is None or not current.is_active or current.hashed_password != user.hashed_password:
            raise WrongCredentials("Wrong e-mail address or password.")
        if newer_hash:
            current.hashed_password = newer_hash
        expired = select(UserSession).where(UserSession.user_id == user.id, UserSession.expires_at <= utc_now())
        for old in await session.scalars(expired):
            await session.delete(old)
        session.add(
            UserSession(
                user_id=user.id,
                token_hash=tokens.hash_of(token),
                expires_at=utc_now() + timedelta(days=held.settings.session_days),
                ip_address=who.ip_address,
                user_agent=who.user_agent and who.user_agent[:500],
            )
        )
    return token


async def find(session: AsyncSession, token: str) -> tuple[User, UserSession] | None:
    """Whom the token stands for."""
    wanted = (
        select(User, UserSession)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == tokens.hash_of(token), UserSession.expires_at > utc_now(), User.is_active)
    )
    row = (await session.execute(wanted)).one_or_none()
    return (row[0], row[1]) if row else None


async def list_of(session: AsyncSession, user_id: UUID) -> list[UserSession]:
    """The newest first."""
    wanted = select(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at > utc_now())
    return list(await session.scalars(wanted.order_by(UserSession.created_at.desc()).limit(100)))


async def end(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Errors: SessionNotFound."""
    found = await session.get(UserSession, session_id)
    if found is None or found.user_id != user_id:
        raise SessionNotFound("There is no such session.")
    await session.delete(found)
