from app.features.users.models import User, UserSession
from app.features.users.roles import GROUPS
from app.http.admin import NOBODY, View

VIEWS = (
    View(
        User,
        creatable_by=NOBODY,  # an account comes with a password, and nobody shall know that of somebody else
        fields=("is_active", "is_staff", "is_superuser", "group", "is_verified"),
        columns=("email", "is_active", "is_staff", "is_superuser", "group", "created_at"),
        choices={"group": tuple(GROUPS)},
        note=(
            "Accounts come by registering, or by oppman.py users create-superuser. Passwords are not set here: "
            "whoever has lost one asks for a link on the page to log in. To deactivate an account ends its sessions."
        ),
    ),
    View(
        UserSession,
        creatable_by=NOBODY,
        editable_by=NOBODY,
        columns=("user_id", "created_at", "expires_at", "ip_address", "user_agent"),
        note="To delete a session is to log somebody out of it.",
    ),
)
