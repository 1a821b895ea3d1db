from admins import admin_routes
from people import EVERYBODY, SUPERUSER

STAFF = SUPERUSER | {"staff"}
PHOTOGRAPHERS = STAFF | {"marketing"}
EDITORS = PHOTOGRAPHERS | {"sales"}
READERS = EDITORS | {"support"}

ONE = "{registrant_id}"

ROUTES = {
    "GET /api/webinars": EVERYBODY,
    "POST /api/webinar-registrants": EVERYBODY,
    "GET /api/webinar-registrants": READERS,
    f"GET /api/webinar-registrants/{ONE}": READERS,
    f"PATCH /api/webinar-registrants/{ONE}": EDITORS,
    f"DELETE /api/webinar-registrants/{ONE}": STAFF,
    f"GET /api/webinar-registrants/{ONE}/photo": READERS,
    f"PUT /api/webinar-registrants/{ONE}/photo": PHOTOGRAPHERS,
    f"DELETE /api/webinar-registrants/{ONE}/photo": PHOTOGRAPHERS,
    "GET /webinars": EVERYBODY,
    "POST /webinars": EVERYBODY,
    "GET /webinars/registrants": READERS,
    f"GET /webinars/registrants/{ONE}": READERS,
    f"POST /webinars/registrants/{ONE}": EDITORS,
    f"POST /webinars/registrants/{ONE}/photo": PHOTOGRAPHERS,
    f"POST /webinars/registrants/{ONE}/photo/remove": PHOTOGRAPHERS,
}
ROUTES |= admin_routes("webinar-registrants", READERS, EDITORS, EDITORS, {"staff", "sales"})
ROUTES |= admin_routes("webinars", SUPERUSER, SUPERUSER, SUPERUSER, SUPERUSER)
