from admins import admin_routes
from people import EVERYBODY, SUPERUSER, USERS

ROUTES = {
    "GET /api/posts": EVERYBODY,
    "POST /api/posts": USERS,
    "GET /api/posts/{post_id}": EVERYBODY,
    "PATCH /api/posts/{post_id}": USERS,
    "DELETE /api/posts/{post_id}": USERS,
    "POST /api/posts/{post_id}/like": USERS,
    "GET /posts": EVERYBODY,
    "GET /posts/new": USERS,
    "POST /posts/new": USERS,
    "GET /posts/{post_id}": EVERYBODY,
    "GET /posts/{post_id}/edit": USERS,
    "POST /posts/{post_id}/edit": USERS,
    "POST /posts/{post_id}/delete": USERS,
    "POST /posts/{post_id}/like": USERS,
}
ROUTES |= admin_routes(
    "posts", {"staff", "marketing", "sales", "support"}, {"staff", "marketing"}, {"staff", "marketing"}, {"staff"}
)
ROUTES |= admin_routes("post-likes", SUPERUSER, SUPERUSER, SUPERUSER, SUPERUSER)
