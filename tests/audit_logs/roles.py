from admins import admin_routes
from people import SUPERUSER

ROUTES = {"GET /api/audit-logs": SUPERUSER}
ROUTES |= admin_routes("audit-logs", SUPERUSER, None, None, None)
