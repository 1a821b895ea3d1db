from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, utc_now
from app.db.types import BoundedString, UtcDateTime


class Post(Base):
    __tablename__ = "posts"

    title: Mapped[str] = mapped_column(BoundedString(200))
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(BoundedString(200))  # the name that is shown; it outlives the account
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    likes: Mapped[int] = mapped_column(default=0, server_default="0")
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)


class PostLike(Base):
    """Somebody's like. It outlives the account, so that the post's counter stays true."""

    __tablename__ = "post_likes"
    __table_args__ = (UniqueConstraint("post_id", "user_id"),)

    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
