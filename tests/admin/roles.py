from people import USERS

ROUTES = {"GET /admin": USERS, "GET /admin/": USERS}
