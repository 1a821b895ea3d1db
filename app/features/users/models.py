from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, event, false, inspect, select
from sqlalchemy.orm import Mapped, Session, UOWTransaction, mapped_column

from app.db.base import Base, Timestamps, utc_now
from app.db.changes import RecordingSession
from app.db.types import BoundedString, UtcDateTime
from app.errors import Conflict
from app.features.users.roles import Role, may


class User(Timestamps, Base):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(BoundedString(320), unique=True)  # in lower case
    hashed_password: Mapped[str] = mapped_column(BoundedString(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_staff: Mapped[bool] = mapped_column(default=False)
    is_superuser: Mapped[bool] = mapped_column(default=False)
    group: Mapped[str | None] = mapped_column(BoundedString(50))
    is_verified: Mapped[bool] = mapped_column(default=False, server_default=false())

    def may(self, *wanted: str) -> bool:
        """Whether somebody holds one of the roles, or is a superuser."""
        return may(self, *map(Role, wanted))


class UserSession(Base):
    """Somebody who is logged in, by a browser's cookie or a program's token; to delete it is to log out."""

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(BoundedString(64), unique=True)  # SHA-256: who reads it cannot use it
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ip_address: Mapped[str | None] = mapped_column(BoundedString(45))
    user_agent: Mapped[str | None] = mapped_column(BoundedString(500))


class LastSuperuser(Conflict):
    """Nobody would be left who can give rights."""


# What holds for accounts by whatever door they are changed: the API, a page, the admin, a command.


@event.listens_for(RecordingSession, "before_flush")
def _keep_a_superuser(session: Session, _context: UOWTransaction, _objects: object) -> None:
    """Errors: LastSuperuser."""
    changed = [user for user in (*session.dirty, *session.deleted) if isinstance(user, User)]
    fallen = {
        user.id
        for user in changed
        if _before(user, "is_superuser") and _before(user, "is_active")
        if user in session.deleted or not (user.is_superuser and user.is_active)
    }
    if not fallen:
        return
    # All of them are locked, in one order, before anything else is: two who take the right from each other take turns.
    mighty = select(User.id).where(User.is_superuser, User.is_active).order_by(User.id).with_for_update()
    if set(session.scalars(mighty)) <= fallen:
        raise LastSuperuser("This is the last superuser: make another one first.")


@event.listens_for(RecordingSession, "before_flush")
def _end_sessions(session: Session, _context: UOWTransaction, _objects: object) -> None:
    """With a new password, or a deactivation."""
    for user in session.dirty:
        if isinstance(user, User) and (not user.is_active or _before(user, "hashed_password") != user.hashed_password):
            # Locked first: who logs in at this moment is either seen here, or sees what we changed.
            session.execute(select(User.id).where(User.id == user.id).with_for_update())
            for each in session.scalars(select(UserSession).where(UserSession.user_id == user.id)):
                session.delete(each)


def _before(user: User, name: str) -> object:
    history = inspect(user).attrs[name].history
    return (history.deleted or history.unchanged or [None])[0]
