from app.features.audit_logs.models import AuditLog
from app.http.admin import NOBODY, View

VIEWS = (
    View(
        AuditLog,
        creatable_by=NOBODY,
        editable_by=NOBODY,
        deletable_by=NOBODY,
        columns=("timestamp", "actor", "action", "model_name", "record_id", "ip_address"),
        filters=("timestamp", "user_id", "action", "model_name", "record_id", "request_id"),
    ),
)
