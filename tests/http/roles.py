from people import EVERYBODY

ROUTES = {
    "GET /": EVERYBODY,
    "GET /docs": EVERYBODY,
    "GET /health": EVERYBODY,
    "GET /health/live": EVERYBODY,
    "GET /health/ready": EVERYBODY,
}
