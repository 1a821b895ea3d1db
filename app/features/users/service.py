"""Accounts: how they come, change and go.

Passwords are hashed before a transaction begins: a hash takes as long as a hundred queries, and meanwhile nobody else
shall wait for a connection, or for SQLite's one writer.
"""

from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import exists, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import Database
from app.errors import Conflict, Forbidden, NotFound
from app.features.users import letters, passwords, tokens
from app.features.users.models import User
from app.features.users.resources import Resources
from app.features.users.schemas import FirstSuperuser, PasswordChange, Registration, Reset, UserUpdate
from app.http.pagination import PageQuery, newest_first
from app.settings import Settings

VERIFY, RESET, FIRST_SUPERUSER = "verify", "reset", "first-superuser"  # what a link is for


class UserNotFound(NotFound):
    """There is no user of that id or address."""


class EmailTaken(Conflict):
    """Somebody has that address."""


class WrongPassword(Forbidden):
    """Not the one of this account."""


class LinkExpired(NotFound):
    """Too old, used before, or not one of ours."""

    def __init__(self) -> None:
        super().__init__("This link is used or has expired: ask for a new one.")


async def get(session: AsyncSession, user_id: UUID) -> User:
    """Errors: UserNotFound."""
    user = await session.get(User, user_id)
    if user is None:
        raise UserNotFound("There is no such user.")
    return user


async def find(session: AsyncSession, email: str) -> User:
    """Errors: UserNotFound."""
    user = await session.scalar(select(User).where(User.email == email))
    if user is None:
        raise UserNotFound(f"There is no user {email}.")
    return user


async def list_page(session: AsyncSession, query: PageQuery) -> tuple[list[User], str | None]:
    """The newest first, and the cursor of the next page."""
    return await newest_first(session, select(User), User.created_at, User.id, query)


async def register(held: Resources, wanted: Registration) -> None:
    """An account, and a letter to its address. Who has one already gets another letter; the caller learns nothing.

    Errors: Forbidden, where the service is closed to newcomers; TooManyRequests.
    """
    if not held.settings.registration_open:
        raise Forbidden("Nobody can register here: ask for an account.")
    await held.throttle.attempt("register", wanted.email)
    try:
        user = await create(held.database, wanted.email, wanted.password.get_secret_value())
        held.later.add_task(letters.confirm, held.settings, user.email, link(held.settings, VERIFY, user))
    except EmailTaken:
        held.later.add_task(letters.taken, held.settings, wanted.email)


async def request_verification(held: Resources, user: User) -> None:
    """Errors: TooManyRequests."""
    await held.throttle.attempt("verify", user.email)
    held.later.add_task(letters.confirm, held.settings, user.email, link(held.settings, VERIFY, user))


async def request_reset(held: Resources, email: str) -> None:
    """A letter to the address, if anybody has it.

    Errors: TooManyRequests.
    """
    await held.throttle.attempt("reset", email)
    async with held.database.transaction(read_only=True) as session:
        user = await session.scalar(select(User).where(User.email == email, User.is_active))
    if user:
        held.later.add_task(letters.reset, held.settings, user.email, link(held.settings, RESET, user))


async def create(database: Database, email: str, password: str, **flags: bool) -> User:
    """Errors: EmailTaken, which only somebody may hear who may look at users."""
    user = User(email=email, hashed_password=await passwords.hashed(password), **flags)
    async with database.transaction() as session:
        await _add(session, user)
    return user


async def _add(session: AsyncSession, user: User) -> None:
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise EmailTaken(f"There is a user {user.email} already.") from error


async def update(session: AsyncSession, user: User, wanted: UserUpdate) -> User:
    """Errors: LastSuperuser."""
    for name in wanted.model_fields_set:
        setattr(user, name, getattr(wanted, name))
    await session.flush()
    return user


async def set_password(database: Database, user_id: UUID, password: SecretStr) -> User:
    """Every session of the user ends with it."""
    hashed_password = await passwords.hashed(password.get_secret_value())
    async with database.transaction() as session:
        user = await get(session, user_id)
        user.hashed_password = hashed_password
    return user


async def change_password(held: Resources, user: User, wanted: PasswordChange) -> User:
    """Errors: WrongPassword, TooManyRequests."""
    await require_password(held, user, wanted.current_password)
    hashed_password = await passwords.hashed(wanted.new_password.get_secret_value())
    async with held.database.transaction() as session:
        current = await _unchanged(session, user)
        current.hashed_password = hashed_password
    return current


async def deactivate(held: Resources, user: User, password: SecretStr) -> None:
    """Somebody's own account.

    Errors: WrongPassword, LastSuperuser, TooManyRequests.
    """
    await require_password(held, user, password)
    async with held.database.transaction() as session:
        await update(session, await get(session, user.id), UserUpdate(is_active=False))


async def _unchanged(session: AsyncSession, user: User) -> User:
    """That row, held until the transaction ends.

    Errors: WrongPassword, where it got another password since the one that was given was checked.
    """
    current = await session.get(User, user.id, with_for_update=True)
    if current is None or current.hashed_password != user.hashed_password:
        raise WrongPassword("The password was changed meanwhile.")
    return current


async def require_password(held: Resources, user: User, password: SecretStr) -> None:
    """Errors: WrongPassword, TooManyRequests."""
    await held.throttle.attempt("log in", user.email)
    if not (await passwords.verified(password.get_secret_value(), user.hashed_password))[0]:
        raise WrongPassword("That is not your password.")
    await held.throttle.forgive("log in", user.email)


def link(settings: Settings, purpose: str, user: User) -> str:
    """The token of a link in an e-mail: whoever has it reads that mailbox."""
    return tokens.link_token(settings, purpose, user.id.hex, _state(user))


def _state(user: User) -> str:
    """What using a link changes: afterwards it is not valid any more."""
    return f"{user.email}\n{user.hashed_password}\n{user.is_active}\n{user.is_verified}"


async def user_of_link(session: AsyncSession, settings: Settings, purpose: str, token: str) -> User:
    """Errors: LinkExpired."""
    try:
        user = await session.get(User, UUID(tokens.subject_of(token)), with_for_update=True)  # a link works once
    except ValueError:
        user = None
    if user is None or not user.is_active or not tokens.is_valid(token, settings, purpose, _state(user)):
        raise LinkExpired
    return user


async def verify(held: Resources, token: str) -> None:
    """Errors: LinkExpired."""
    async with held.database.transaction() as session:
        user = await user_of_link(session, held.settings, VERIFY, token)
        user.is_verified = True


async def reset_password(held: Resources, wanted: Reset) -> None:
    """Errors: LinkExpired."""
    async with held.database.transaction(read_only=True) as session:
        await user_of_link(session, held.settings, RESET, wanted.token)  # before the work of hashing
    hashed_password = await passwords.hashed(wanted.password.get_secret_value())
    async with held.database.transaction() as session:
        user = await user_of_link(session, held.settings, RESET, wanted.token)
        user.hashed_password = hashed_password
        user.is_verified = True  # the link came by e-mail


async def first_superuser_link(session: AsyncSession, settings: Settings) -> str | None:
    """A token that makes a superuser, as long as there is none."""
    if await _has_superuser(session):
        return None
    return tokens.link_token(settings, FIRST_SUPERUSER, "nobody", "")


async def create_first_superuser(held: Resources, wanted: FirstSuperuser) -> None:
    """Errors: LinkExpired, EmailTaken."""
    if not tokens.is_valid(wanted.token, held.settings, FIRST_SUPERUSER, ""):
        raise LinkExpired
    hashed_password = await passwords.hashed(wanted.password.get_secret_value())
    user = User(email=wanted.email, hashed_password=hashed_password, is_staff=True, is_superuser=True, is_verified=True)
    async with held.database.transaction() as session:
        if not held.settings.database.is_sqlite:  # which has one writer; here two could find none at the same time
            await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('first superuser'))"))
        if await _has_superuser(session):
            raise LinkExpired
        await _add(session, user)


async def _has_superuser(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(User.is_superuser))))
