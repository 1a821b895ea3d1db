from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamps, utc_now
from app.db.types import BoundedString, UtcDateTime


class WebinarRegistrant(Timestamps, Base):
    __tablename__ = "webinar_registrants"
    __table_args__ = (UniqueConstraint("email", "webinar_title", "webinar_date"),)

    email: Mapped[str] = mapped_column(BoundedString(320))
    name: Mapped[str] = mapped_column(BoundedString(200))
    company: Mapped[str | None] = mapped_column(BoundedString(200))
    webinar_title: Mapped[str] = mapped_column(BoundedString(200))
    webinar_date: Mapped[datetime] = mapped_column(UtcDateTime)
    registration_date: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    status: Mapped[str] = mapped_column(BoundedString(20), default="registered")
    assigned_sales_rep: Mapped[str | None] = mapped_column(BoundedString(200))
    group: Mapped[str | None] = mapped_column(BoundedString(50))
    is_public: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[str | None] = mapped_column(Text)
    photo_url: Mapped[str | None] = mapped_column(BoundedString(500))
