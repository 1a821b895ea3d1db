from app.features.products.models import Product
from app.features.users.dependencies import Role
from app.http.admin import View

VIEWS = (
    View(
        Product,
        readable_by={Role.STAFF, Role.MARKETING, Role.SALES, Role.SUPPORT},
        creatable_by={Role.STAFF, Role.MARKETING},
        editable_by={Role.STAFF, Role.MARKETING},
        deletable_by={Role.STAFF},
        columns=("name", "category", "price_cents", "in_stock", "created_at"),
        filters=("category", "in_stock", "created_at"),
    ),
)
