from sqlalchemy import ColumnElement, or_, true

from app.features.users.dependencies import Role
from app.features.users.models import User
from app.features.webinar_registrants.models import Status, WebinarRegistrant
from app.http.admin import View


def rows(user: User) -> ColumnElement[bool]:
    """A department sees its own people, and those whom no department has taken yet."""
    if user.may(Role.STAFF):
        return true()
    return or_(WebinarRegistrant.group.is_(None), WebinarRegistrant.group == user.group)


VIEWS = (
    View(
        WebinarRegistrant,
        readable_by={Role.STAFF, Role.MARKETING, Role.SALES, Role.SUPPORT},
        creatable_by={Role.STAFF, Role.MARKETING, Role.SALES},
        editable_by={Role.STAFF, Role.MARKETING, Role.SALES},
        deletable_by={Role.STAFF, Role.SALES},
        restricted={"group": {Role.STAFF}, "assigned_sales_rep": {Role.STAFF}},
        rows=rows,
        columns=("name", "email", "webinar_title", "webinar_date", "status", "group"),
        filters=("webinar_date", "status", "group", "is_public"),
        choices={"group": (Role.MARKETING, Role.SALES, Role.SUPPORT), "status": tuple(Status)},
    ),
)
