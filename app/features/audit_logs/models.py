from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base, utc_now
from app.db.changes import Change, recorder
from app.db.types import BoundedString, Json, UtcDateTime
from app.observe import context
from app.observe.logs import request_id


class AuditLog(Base):
    __tablename__ = "audit_logs"
    __table_args__ = (Index("ix_audit_logs_model_name_record_id", "model_name", "record_id"),)

    # A log outlives the people in it.
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    action: Mapped[str] = mapped_column(BoundedString(50))
    model_name: Mapped[str] = mapped_column(BoundedString(100))
    record_id: Mapped[str | None] = mapped_column(BoundedString(100))
    changes: Mapped[dict[str, Any] | None] = mapped_column(Json)  # Any: each field's own type
    ip_address: Mapped[str | None] = mapped_column(BoundedString(45))
    user_agent: Mapped[str | None] = mapped_column(BoundedString(500))
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    actor: Mapped[str | None] = mapped_column(BoundedString(320))
    request_id: Mapped[str | None] = mapped_column(BoundedString(64))


class AuditLogIsFinal(TypeError):
    """Somebody tried to write, change or delete a row of the log itself."""


@recorder
def record(session: Session, changes: list[Change]) -> None:
    """One row for each change, in the transaction of the change."""
    if any(change.model_name == AuditLog.__name__ for change in changes):
        raise AuditLogIsFinal("rows of the audit log are written by changes alone, and stay as they are")
    who = context.actor.get()
    gone = any(change.action == "delete" and change.record_id == str(who.user_id) for change in changes)
    now = utc_now()
    rows = [
        {
            "id": uuid4(),
            "user_id": None if gone else who.user_id,
            "actor": who.name[:320],
            "action": change.action,
            "model_name": change.model_name[:100],
            "record_id": change.record_id and change.record_id[:100],
            "changes": change.fields,
            "ip_address": who.ip_address and who.ip_address[:45],
            "user_agent": who.user_agent and who.user_agent[:500],
            "request_id": request_id.get(),
            "timestamp": now,
        }
        for change in changes
    ]
    # By the connection: through the session it would be recorded in turn.
    session.connection().execute(insert(AuditLog.__table__), rows)  # type: ignore[arg-type] # a Table
