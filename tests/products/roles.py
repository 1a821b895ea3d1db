from admins import admin_routes
from people import EVERYBODY

EDITORS = {"staff", "superuser"}

ROUTES = {
    "GET /api/products": EVERYBODY,
    "POST /api/products": EDITORS,
    "GET /api/products/{product_id}": EVERYBODY,
    "PATCH /api/products/{product_id}": EDITORS,
    "DELETE /api/products/{product_id}": EDITORS,
    "GET /products": EVERYBODY,
    "GET /products/new": EDITORS,
    "POST /products/new": EDITORS,
    "GET /products/{product_id}": EVERYBODY,
    "GET /products/{product_id}/edit": EDITORS,
    "POST /products/{product_id}/edit": EDITORS,
    "POST /products/{product_id}/delete": EDITORS,
}
ROUTES |= admin_routes(
    "products", {"staff", "marketing", "sales", "support"}, {"staff", "marketing"}, {"staff", "marketing"}, {"staff"}
)
