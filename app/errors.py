"""The errors that a person can mend, and how often there were some.

UserError                 for whoever runs oppman.py
Problem                   for whoever sends a request; app/http/problems.py makes answers of them
├── Unauthenticated  401
├── Forbidden        403
├── NotFound         404
├── Conflict         409
├── Invalid          422
└── TooManyRequests  429
"""

from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar

# By kind: url_format, driver, tls, dns, refused, timeout, auth, missing, busy, lost. Metrics read it.
failures: Counter[str] = Counter()


class UserError(Exception):
    """Its message is one line for the person at the keyboard: the thing, the reason, the way out; never a secret."""

    exit_code: ClassVar[int] = 1  # of oppman.py


class Problem(Exception):
    """What a service raises when it cannot do what was asked; the message goes to the client."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    headers: Mapping[str, str] = MappingProxyType({})


class Forbidden(Problem):
    status = HTTPStatus.FORBIDDEN


class TooManyRequests(Problem):
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(retry_after_seconds)}


class Unauthenticated(Problem):
    """Who is asking is not known. A browser is sent to the page where one signs in."""

    status = HTTPStatus.UNAUTHORIZED


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    status = HTTPStatus.CONFLICT


class Invalid(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
