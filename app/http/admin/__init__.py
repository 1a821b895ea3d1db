"""/admin: every model of every feature, for those who may. docs/admin.md shows how to give a model a view."""

from app.http.admin.views import NOBODY, View

__all__ = ["NOBODY", "View"]
