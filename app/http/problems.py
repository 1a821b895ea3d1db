"""Every error as RFC 9457 problem+json, with the request's id.

Problem
├── Invalid      422
├── NotFound     404
└── Conflict     409
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.db.errors import DatabaseUnavailable
from app.observe.logs import request_id

logger = logging.getLogger(__name__)


class Problem(Exception):
    """What a service raises when it cannot do what was asked; the message goes to the client."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class Invalid(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    status = HTTPStatus.CONFLICT


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


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _from_problem)
    app.add_exception_handler(HTTPException, _from_http_exception)
    app.add_exception_handler(RequestValidationError, _from_validation_error)
    app.add_exception_handler(DatabaseUnavailable, _from_database_unavailable)


async def _from_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem(error.status, str(error) or None)


async def _from_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
    return problem(error.status_code, detail, headers=error.headers)


async def _from_validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"location": ".".join(str(part) for part in item["loc"])[:200], "message": _message(item)}
        for item in error.errors()
    ]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid.", errors)


def _message(item: Mapping[str, str]) -> str:
    # Behind the comma Pydantic may quote the input: "…valid UUID, invalid character: found `s` at 1".
    parsing = item["type"].endswith(("_parsing", "_type", "_inclusive", "_invalid"))
    return item["msg"].partition(",")[0] if parsing else item["msg"]


async def _from_database_unavailable(_: Request, error: Exception) -> Response:
    logger.warning("%s", error)  # why is for us: a client can only wait
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away.", headers={"Retry-After": "2"})
