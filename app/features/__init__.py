"""The table of contents: what this service does. A folder is a feature; a name may use those above it."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

CORE = (
    "users",
    "audit_logs",
)
DEMO = (
    "products",
    "webinar_registrants",
    "posts",
)


def modules(kind: str) -> list[ModuleType]:
    """That module of each feature that has one: "models", "router", "samples", …"""
    names = [f"app.features.{feature}.{kind}" for feature in CORE + DEMO]
    return [import_module(name) for name in names if find_spec(name)]
