"""Every error as RFC 9457 problem+json, with the request's id; and as a page for a browser."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.db.errors import DatabaseUnavailable
from app.errors import Problem, Unauthenticated
from app.http import pages
from app.observe.logs import request_id
from app.storage import StorageUnavailable

logger = logging.getLogger(__name__)


class ProblemDetails(BaseModel):
    """What the client gets. https://www.rfc-editor.org/rfc/rfc9457"""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    request_id: str
    errors: list[dict[str, str]] | None = None  # location, for example "body.email", and message


# For ``responses=``: what the API documentation says of every route.
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI's own schema
    status: {
        "description": "Problem",
        "content": {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}},
    }
    for status in ("4XX", "5XX")
}


def problem(
    status: int,
    detail: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    details = ProblemDetails(
        title=HTTPStatus(status).phrase, status=status, detail=detail, request_id=request_id.get(), errors=errors
    )
    # json.dumps and not Pydantic: it escapes what UTF-8 cannot carry, so that no input breaks the answer to it.
    body = json.dumps(details.model_dump(exclude_none=True))
    return Response(body, status, headers, media_type="application/problem+json")


def answer(
    request: Request,
    status: int,
    detail: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem for whoever asks: a page for a browser, a part of one for htmx, problem+json for everybody else."""
    if pages.wants_fragment(request):
        template = "error_message.html"
    elif pages.wants_page(request):
        template = "error.html"
    else:
        return problem(status, detail, errors, headers)
    context = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "detail": detail,
        "errors": errors or [],
        "request_id": request_id.get(),
    }
    return pages.page(request, template, context, status=status, headers=headers)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Unauthenticated, _from_unauthenticated)
    app.add_exception_handler(Problem, _from_problem)
    app.add_exception_handler(HTTPException, _from_http_exception)
    app.add_exception_handler(RequestValidationError, _from_validation_error)
    app.add_exception_handler(DatabaseUnavailable, _from_database_unavailable)
    app.add_exception_handler(StorageUnavailable, _from_storage_unavailable)


async def _from_unauthenticated(request: Request, error: Exception) -> Response:
    if pages.wants_page(request):
        return pages.redirect(request, f"/login?next={quote(_asked_for(request), safe='/')}")
    headers = {"WWW-Authenticate": "Bearer"}
    if pages.wants_fragment(request):
        # htmx would follow a redirect unseen, and put the page that it leads to into this one.
        headers["HX-Redirect"] = pages.url(request, "/login")
    return answer(request, HTTPStatus.UNAUTHORIZED, str(error) or None, headers=headers)


def _asked_for(request: Request) -> str:
    """Where to go on afterwards. Not where a form was sent to: that page may not be there for a GET."""
    if request.method != "GET":
        return "/"
    query = request.scope["query_string"].decode("latin-1")
    return pages.local_path(pages.here(request) + (f"?{query}" if query else ""))


async def _from_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(request, error.status, str(error) or None, headers=error.headers)


async def _from_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
    headers = _allow(request) if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    return answer(request, error.status_code, detail, headers=headers)


def _allow(request: Request) -> dict[str, str]:
    """All methods of that path: Starlette names those of the first route that has it."""
    fits = [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] == Match.FULL for route in request.app.routes)
    ]
    return {"Allow": ", ".join(fits)}


async def _from_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"location": ".".join(str(part) for part in item["loc"])[:200], "message": message_of(item)}
        for item in error.errors()
    ]
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid.", errors)


def message_of(item: Mapping[str, Any]) -> str:  # Any: pydantic's own
    """What pydantic says of an input, without the input."""
    # Behind the comma Pydantic may quote the input: "…valid UUID, invalid character: found `s` at 1".
    parsing = item["type"].endswith(("_parsing", "_type", "_inclusive", "_invalid"))
    message = str(item["msg"]).removeprefix("Value error, ")
    return message.partition(",")[0] if parsing else message


async def _from_database_unavailable(request: Request, error: Exception) -> Response:
    logger.warning("%s", error)  # why is for us: a client can only wait
    return answer(request, HTTPStatus.SERVICE_UNAVAILABLE, "The database is away.", headers={"Retry-After": "2"})


async def _from_storage_unavailable(request: Request, error: Exception) -> Response:
    logger.warning("%s: %s", error, error.__cause__)
    return answer(request, HTTPStatus.SERVICE_UNAVAILABLE, "The files are away.", headers={"Retry-After": "2"})
