from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, utc_now
from app.db.types import BoundedString, UtcDateTime


class Post(Base):
    __tablename__ = "posts"

    title: Mapped[str] = mapped_column(BoundedString(200))
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(BoundedString(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    likes: Mapped[int] = mapped_column(default=0, server_default="0")
