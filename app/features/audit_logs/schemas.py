from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.http.fields import PlainText
from app.http.pagination import PageQuery


class AuditLogQuery(PageQuery):
    """What the log may be narrowed by."""

    user_id: UUID | None = None
    action: Annotated[PlainText, Field(max_length=50)] | None = None
    model_name: Annotated[PlainText, Field(max_length=100)] | None = None
    record_id: Annotated[PlainText, Field(max_length=100)] | None = None


class AuditLogRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    timestamp: datetime
    user_id: UUID | None
    actor: str | None
    action: str
    model_name: str
    record_id: str | None
    changes: dict[str, Any] | None  # {field: [old, new]}; Any: each field's own type
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
