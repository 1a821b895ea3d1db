"""Pages for people: templates, links between them, redirects. docs/pages.md shows how to add one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.http import assets, notices
from app.settings import ROOT

# A feature's templates live in its own folder: "notes/templates/list.html".
TEMPLATES = (ROOT / "app/web/templates", ROOT / "app/features")

# Printable ASCII without the backslash, which browsers read as a slash: "/\evil.example" is another host.
LOCAL_PATH = re.compile(r"/(?!/)[!-\[\]-~]{0,2000}")


class Visitor(Protocol):
    """What a page knows of who is signed in: request.state.user, where a feature sets it.

    Plain values, no row of a session: the page of an error is made when the transaction is rolled back.
    """

    @property
    def email(self) -> str: ...
    @property
    def is_superuser(self) -> bool: ...
    @property
    def is_staff(self) -> bool: ...
    @property
    def group(self) -> str | None: ...
    def may(self, *wanted: str) -> bool:
        """Whether somebody holds one of the roles, or is a superuser."""


@dataclass(frozen=True)
class Link:
    """An entry of the navigation: a feature's pages.py lists its own as LINKS."""

    label: str
    path: str
    allowed: Callable[[Visitor | None], bool] | None = None  # None: for everybody


def page(
    request: Request,
    name: str,
    context: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """That template with this context, and what every template may use.

    Source: docs/pages.md lists the variables.
    """
    html = environment().get_template(name).render({**_common(request), **(context or {})})
    # replace: half a character that somebody typed must not break the answer to it.
    response = HTMLResponse(html.encode(errors="replace"), status, headers)
    if not wants_fragment(request):
        notices.forget(request, response)
    return response


def redirect(request: Request, path: str, notice: str | None = None) -> RedirectResponse:
    """To a page of ours, by GET: what answers a form that is done. The notice is shown there once."""
    response = RedirectResponse(url(request, local_path(path)), 303)
    if notice:
        notices.leave(request, response, notice)
    return response


def local_path(text: str | None, default: str = "/") -> str:
    """The text where it is a path on this host, such as "/notes?page=2"; the default for anything else."""
    return text if text and LOCAL_PATH.fullmatch(text) else default


def url(request: Request, path: str) -> str:
    """The path as a browser asks for it: a proxy may serve us below a prefix."""
    return _prefix(request) + path


def here(request: Request) -> str:
    """The path that was asked for, without the proxy's prefix; quoted."""
    path: str = request.scope["path"]
    prefix = _prefix(request)
    return quote(path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path, errors="replace")


def wants_page(request: Request) -> bool:
    """A browser that navigates, not a program."""
    is_api = f"{here(request)}/".startswith("/api/")
    return "text/html" in request.headers.get("accept", "") and not is_api and not wants_fragment(request)


def wants_fragment(request: Request) -> bool:
    """htmx, for a part of a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-request-type") != "full"


def visitor(request: Request) -> Visitor | None:
    return getattr(request.state, "user", None)


def navigation(request: Request) -> list[Link]:
    """The links that this visitor may follow."""
    links: tuple[Link, ...] = request.app.state.navigation
    who = visitor(request)
    return [link for link in links if link.allowed is None or link.allowed(who)]


@cache
def environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["with_query"] = with_query
    return made


def with_query(request: Request, **changed: str | None) -> str:
    """This page's query with these parameters changed, or left out where None: a relative link."""
    query = {**request.query_params, **changed}
    return "?" + urlencode({name: value for name, value in query.items() if value is not None}, errors="replace")


def _common(request: Request) -> dict[str, object]:
    def static(path: str) -> str:
        return url(request, f"/static/{path}?v={assets.version(assets.FOLDER / path)}")

    return {
        "request": request,
        "app_name": request.app.state.settings.app_name,
        "user": visitor(request),
        "navigation": navigation(request),
        "notice": None if wants_fragment(request) else notices.read(request),
        "here": here(request),
        "url": lambda path: url(request, path),
        "static": static,
    }


def _prefix(request: Request) -> str:
    # Below a mount, such as /static, root_path is the mount's.
    prefix: str = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    return prefix.rstrip("/")
