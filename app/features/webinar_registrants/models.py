from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamps, utc_now
from app.db.types import BoundedString, UtcDateTime
from app.storage import StoredFile


class Status(StrEnum):
    REGISTERED = "registered"
    CONFIRMED = "confirmed"
    ATTENDED = "attended"
    CANCELLED = "cancelled"


class Webinar(Base):
    """What one may register for. Who did is kept when it is gone: a registrant has its title and date too."""

    __tablename__ = "webinars"
    __table_args__ = (UniqueConstraint("starts_at", "title"),)

    title: Mapped[str] = mapped_column(BoundedString(200))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebinarRegistrant(Timestamps, Base):
    __tablename__ = "webinar_registrants"
    __table_args__ = (
        UniqueConstraint("email", "webinar_title", "webinar_date"),
        Index("ix_webinar_registrants_created_at_id", "created_at", "id"),  # the order of the list
    )

    email: Mapped[str] = mapped_column(BoundedString(320))  # in lower case
    name: Mapped[str] = mapped_column(BoundedString(200))
    company: Mapped[str | None] = mapped_column(BoundedString(200))
    webinar_title: Mapped[str] = mapped_column(BoundedString(200))
    webinar_date: Mapped[datetime] = mapped_column(UtcDateTime)
    registration_date: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    status: Mapped[str] = mapped_column(BoundedString(20), default=Status.REGISTERED)
    assigned_sales_rep: Mapped[str | None] = mapped_column(BoundedString(200))
    group: Mapped[str | None] = mapped_column(BoundedString(50))  # whose members see it; none: those of every group
    is_public: Mapped[bool] = mapped_column(default=False)  # agreed to be named on the public page
    notes: Mapped[str | None] = mapped_column(Text)
    photo_url: Mapped[str | None] = mapped_column(StoredFile(500))  # below STORAGE_URL

    @property
    def photo_path(self) -> str | None:
        """Where we serve it. A new photo has a new address."""
        version = (self.photo_url or "").rpartition("/")[2].partition(".")[0]
        return f"/api/webinar-registrants/{self.id}/photo?v={version}" if version else None
