"""The table of contents: what this service does. A folder is a feature; a name may use those above it."""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

CORE = (
    "users",
    "audit_logs",
)
FEATURES: tuple[str, ...] = CORE
# demo
DEMO = (
    "products",
    "webinar_registrants",
    "posts",
)
FEATURES += DEMO
# /demo


def modules(kind: str, features: Iterable[str] = FEATURES) -> list[ModuleType]:
    """That module of each feature that has one: "models", "router", "samples", …"""
    names = [f"app.features.{feature}.{kind}" for feature in features]
    return [import_module(name) for name in names if find_spec(name)]
