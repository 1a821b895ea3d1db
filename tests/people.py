"""People for tests: an account of each kind, and their credentials."""

from datetime import timedelta
from uuid import uuid4

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import utc_now
from app.features.users import passwords, tokens
from app.features.users.models import User, UserSession
from app.features.users.roles import GROUPS, Role

# argon2id as it is, but quick: a hash that takes as long as ten tests is for those who attack.
passwords.hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
passwords.NOBODYS_HASH = passwords.hasher.hash("nobody's password")

PASSWORD = "correct horse battery staple"
HASH = passwords.hasher.hash(PASSWORD)

# Whom the tables of roles know (tests/*/roles.py).
KINDS = ("anonymous", "user", *(str(group) for group in GROUPS), "staff", "superuser")
EVERYBODY = set(KINDS)
USERS = EVERYBODY - {"anonymous"}
SUPERUSER = {"superuser"}


async def person(session: AsyncSession, kind: str = "user", **fields: object) -> User:
    user = User(
        email=f"{kind}-{uuid4().hex[:8]}@example.com",
        hashed_password=HASH,
        is_staff=kind == Role.STAFF,
        is_superuser=kind == Role.SUPERUSER,
        group=kind if kind in GROUPS else None,
    )
    for name, value in fields.items():
        setattr(user, name, value)
    session.add(user)
    await session.flush()
    return user


async def token_of(session: AsyncSession, user: User) -> str:
    """Somebody who is logged in, without the time of a hash."""
    token = tokens.new_session_token()
    expires_at = utc_now() + timedelta(days=1)
    session.add(UserSession(user_id=user.id, token_hash=tokens.hash_of(token), expires_at=expires_at))
    await session.flush()
    return token


async def headers_of(session: AsyncSession, kind: str) -> dict[str, str]:
    """Of a program that acts for a new person of that kind."""
    if kind == "anonymous":
        return {}
    return {"Authorization": f"Bearer {await token_of(session, await person(session, kind))}"}


async def cookies_of(session: AsyncSession, kind: str) -> dict[str, str]:
    """Of a browser where a new person of that kind is logged in."""
    return {"session": await token_of(session, await person(session, kind))}
