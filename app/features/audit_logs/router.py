from typing import Annotated

from fastapi import APIRouter, Query

from app.features.audit_logs import service
from app.features.audit_logs.schemas import AuditLogQuery, AuditLogRead
from app.features.users.dependencies import Role, allowed
from app.features.users.models import User
from app.http.dependencies import Session
from app.http.pagination import Page

router = APIRouter(prefix="/api/audit-logs", tags=["audit"])


@router.get("")
async def list_audit_logs(
    session: Session, _: Annotated[User, allowed(Role.SUPERUSER)], query: Annotated[AuditLogQuery, Query()]
) -> Page[AuditLogRead]:
    """Who did what, the newest first. Nobody can write here: every change writes its own row."""
    rows, next_cursor = await service.list_page(session, query)
    return Page(items=[AuditLogRead.model_validate(row) for row in rows], next_cursor=next_cursor)
