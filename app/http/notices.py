"""One line for the next page, such as "Saved.": in a signed cookie, so that nobody else puts words in our mouth."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fastapi import Request, Response

from app.settings import Settings

COOKIE = "notice"
LIFETIME_SECONDS = 60
MAX_LENGTH = 500  # characters; a cookie holds 4 kB


def leave(request: Request, response: Response, text: str) -> None:
    encoded = urlsafe_b64encode(text[:MAX_LENGTH].encode(errors="replace")).decode()
    response.set_cookie(
        COOKIE,
        f"{encoded}.{_signature(request, encoded)}",
        max_age=LIFETIME_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.scope["scheme"] == "https",
    )


def read(request: Request) -> str | None:
    encoded, _, signature = request.cookies.get(COOKIE, "").partition(".")
    if not encoded or not hmac.compare_digest(signature.encode(), _signature(request, encoded).encode()):
        return None
    return urlsafe_b64decode(encoded).decode()


def forget(request: Request, response: Response) -> None:
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")


def _signature(request: Request, encoded: str) -> str:
    settings: Settings = request.app.state.settings
    key = settings.secret_key.get_secret_value().encode()
    return hmac.digest(key, f"notice:{encoded}".encode(), "sha256").hex()
