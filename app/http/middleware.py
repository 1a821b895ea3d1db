"""What every request passes, outside first: its id and errors, the host it asks for, its size. Pure ASGI."""

import asyncio
import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.pages import here
from app.http.problems import answer, problem
from app.observe.context import Actor, actor
from app.observe.logs import request_id

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
BODY_SECONDS = 30  # for what is no upload
PROBES = frozenset({"/health", "/health/live", "/health/ready"})
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # of a proxy in front; anything else gets a new one


class RequestContext:
    """Names each request, and turns what nobody caught into a problem with that name.

    Starlette's own handler answers too, but raises again, and the server then closes the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(HEADER, "")
        name = given if ACCEPTED_ID.fullmatch(given) else uuid4().hex
        token = request_id.set(name)
        address = scope["client"][0] if scope.get("client") else None
        who = actor.set(Actor("anonymous", None, address, headers.get("user-agent")))
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            logger.info("the client went away")
        except Exception:
            logger.exception("unhandled error in %s %r", scope["method"], scope["path"])
            if started:
                raise  # too late for another answer: the server cuts the connection, so that the client notices
            await _unforeseen(Request(scope))(scope, receive, send_with_id)
        finally:
            request_id.reset(token)
            actor.reset(who)


def _unforeseen(request: Request) -> Response:
    try:
        return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)
    except Exception:  # the page's own template may be what is broken
        logger.exception("no page for that error")
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR)


class AllowedHosts:
    """Refuses a Host header that is not ours, so that no link is ever built from a forged one.

    Like Starlette's TrustedHostMiddleware, but answering with a problem, and open for probes, which come by address.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app = app
        self.any = "*" in hosts
        self.hosts = frozenset(host for host in hosts if not host.startswith("*"))
        self.suffixes = tuple(host[1:] for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._allows(scope):
            detail = "This host name is not served here (setting ALLOWED_HOSTS)."
            response = answer(Request(scope), HTTPStatus.BAD_REQUEST, detail)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        if self.any or scope["path"] in PROBES:
            return True
        host = re.sub(r":\d*$", "", Headers(scope=scope).get("host", "")).lower()
        return host in self.hosts or (bool(self.suffixes) and host.endswith(self.suffixes))


class BodyLimit:
    """Refuses a body of more than max_bytes, before it is in memory, and one that does not come.

    The body is read before anything else begins: who sends it slowly must not hold a transaction meanwhile.
    Where a path is one of uploads, which may hold {names}, upload_bytes counts instead, and the body is not read here:
    FastAPI reads one with a file before it asks for a session.

    FastAPI's own ``max_body_size`` does that too, but answers in plain text.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, upload_bytes: int = 0, uploads: Iterable[str] = ()) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.upload_bytes = upload_bytes
        self.uploads = [compile_path(path)[0] for path in uploads]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_upload = self._is_upload(scope)
        limit = self.upload_bytes if is_upload else self.max_bytes
        detail = f"A request may hold {limit} bytes here."
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            response = answer(Request(scope), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            await response(scope, receive, send)
            return
        if not is_upload:
            await self._call_with_body(scope, receive, send, detail)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return message

        await self.app(scope, counted, send)

    async def _call_with_body(self, scope: Scope, receive: Receive, send: Send, detail: str) -> None:
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return  # nobody is there to be answered
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self.max_bytes:
                        response = answer(Request(scope), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
                        await response(scope, receive, send)
                        return
        except TimeoutError:
            late = f"The body did not come within {BODY_SECONDS} seconds."
            await answer(Request(scope), HTTPStatus.REQUEST_TIMEOUT, late)(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replayed() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, replayed, send)

    def _is_upload(self, scope: Scope) -> bool:
        path = here(Request(scope))
        return any(upload.match(path) for upload in self.uploads)
