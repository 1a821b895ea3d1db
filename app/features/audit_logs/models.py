from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, utc_now
from app.db.types import BoundedString, Json, UtcDateTime


class AuditLog(Base):
    __tablename__ = "audit_logs"

    # A log outlives the people in it.
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    action: Mapped[str] = mapped_column(BoundedString(50))
    model_name: Mapped[str] = mapped_column(BoundedString(100))
    record_id: Mapped[str | None] = mapped_column(BoundedString(100))
    changes: Mapped[dict[str, Any] | None] = mapped_column(Json)  # Any: each field's own type
    ip_address: Mapped[str | None] = mapped_column(BoundedString(45))
    user_agent: Mapped[str | None] = mapped_column(BoundedString(500))
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
