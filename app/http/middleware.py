"""What every request passes, outside first: its id and errors, the host it asks for, its size. Pure ASGI."""

import logging
import re
from http import HTTPStatus
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import problem
from app.observe.logs import request_id

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
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
        given = Headers(scope=scope).get(HEADER, "")
        name = given if ACCEPTED_ID.fullmatch(given) else uuid4().hex
        token = request_id.set(name)
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unhandled error in %s %r", scope["method"], scope["path"])
            if started:
                raise  # too late for another answer: the server cuts the connection, so that the client notices
            await problem(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send_with_id)
        finally:
            request_id.reset(token)


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
            response = problem(HTTPStatus.BAD_REQUEST, "This host name is not served here (setting ALLOWED_HOSTS).")
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        if self.any or scope["path"] in PROBES:
            return True
        host = re.sub(r":\d*$", "", Headers(scope=scope).get("host", "")).lower()
        return host in self.hosts or (bool(self.suffixes) and host.endswith(self.suffixes))


class BodyLimit:
    """Refuses a body of more than max_bytes, before it is in memory.

    FastAPI's own ``max_body_size`` does that too, but answers in plain text.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self.max_bytes:
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail)
            return message

        await self.app(scope, counted, send)

    @property
    def _detail(self) -> str:
        return f"A request may hold {self.max_bytes} bytes."
