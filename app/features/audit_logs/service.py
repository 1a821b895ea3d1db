from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.audit_logs.models import AuditLog
from app.features.audit_logs.schemas import AuditLogQuery
from app.http.pagination import newest_first


async def list_page(session: AsyncSession, query: AuditLogQuery) -> tuple[list[AuditLog], str | None]:
    """The newest first, and the cursor of the next page."""
    statement = select(AuditLog)
    for name in ("user_id", "action", "model_name", "record_id"):
        value = getattr(query, name)
        if value is not None:
            statement = statement.where(getattr(AuditLog, name) == value)
    return await newest_first(session, statement, AuditLog.timestamp, AuditLog.id, query)
