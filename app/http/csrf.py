"""No other site may act in the name of somebody who is logged in here. Pure ASGI.

A browser says where a request comes from, in Sec-Fetch-Site or Origin, and no page can make it lie. So no form needs a
token, and none can be forgotten. docs/decisions/0020-no-csrf-tokens.md
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.problems import answer

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1: they change nothing


class SameOrigin:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and not _is_ours(Headers(scope=scope)):
            detail = (
                "This request comes from another site, or a cookie without an Origin header. Programs: use a token."
            )
            await answer(Request(scope), HTTPStatus.FORBIDDEN, detail)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_ours(headers: Headers) -> bool:
    if headers.get("authorization", "").lower().startswith("bearer "):
        return True  # no page of another site can add that, and the cookie does not count beside it
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")  # none: typed or bookmarked
    if origin := headers.get("origin"):
        return urlsplit(origin).netloc == headers.get("host")
    return "cookie" not in headers  # a program; every browser sends one of the two
