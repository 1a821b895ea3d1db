from app.features.posts.models import Post
from app.features.users.dependencies import Role
from app.http.admin import View

VIEWS = (
    View(
        Post,
        readable_by={Role.STAFF, Role.MARKETING, Role.SALES, Role.SUPPORT},
        creatable_by={Role.STAFF, Role.MARKETING},
        editable_by={Role.STAFF, Role.MARKETING},
        deletable_by={Role.STAFF},
        columns=("title", "author", "likes", "created_at"),
    ),
)
