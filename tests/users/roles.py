from admins import admin_routes
from people import EVERYBODY, SUPERUSER, USERS

ROUTES = {
    "POST /api/auth/token": EVERYBODY,
    "DELETE /api/auth/token": USERS,
    "POST /api/auth/register": EVERYBODY,
    "POST /api/auth/verify": EVERYBODY,
    "POST /api/auth/verify/request": USERS,
    "POST /api/auth/reset": EVERYBODY,
    "POST /api/auth/reset/request": EVERYBODY,
    "GET /api/me": USERS,
    "POST /api/me/password": USERS,
    "POST /api/me/deactivate": USERS,
    "GET /api/me/sessions": USERS,
    "DELETE /api/me/sessions/{session_id}": USERS,
    "GET /api/users": SUPERUSER,
    "GET /api/users/{user_id}": SUPERUSER,
    "PATCH /api/users/{user_id}": SUPERUSER,
}

PAGES = {
    "GET /login": EVERYBODY,
    "POST /login": EVERYBODY,
    "POST /logout": EVERYBODY,
    "GET /register": EVERYBODY,
    "POST /register": EVERYBODY,
    "GET /verify": EVERYBODY,
    "POST /verify": EVERYBODY,
    "POST /verify/request": USERS,
    "GET /reset": EVERYBODY,
    "POST /reset": EVERYBODY,
    "GET /reset/choose": EVERYBODY,
    "POST /reset/choose": EVERYBODY,
    "GET /first-superuser": EVERYBODY,
    "POST /first-superuser": EVERYBODY,
    "GET /account": USERS,
    "POST /account/password": USERS,
    "POST /account/deactivate": USERS,
    "POST /account/sessions/{session_id}/end": USERS,
}
ROUTES |= PAGES
ROUTES |= admin_routes("users", SUPERUSER, None, SUPERUSER, SUPERUSER)
ROUTES |= admin_routes("sessions", SUPERUSER, None, None, SUPERUSER)
