"""What somebody shows instead of a password.

A session's token is random, and only its hash is stored. A link's token (reset, verification, first superuser) is
signed with SECRET_KEY over the state that using it changes, so that it works once, and nothing has to be stored.
"""

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode

from app.settings import Settings

LINK_SECONDS = 24 * 3600


def new_session_token() -> str:
    return secrets.token_urlsafe(32)


def hash_of(session_token: str) -> str:
    """SHA-256 is enough: there are too many tokens to try, unlike passwords."""
    return hashlib.sha256(session_token.encode(errors="replace")).hexdigest()


def link_token(settings: Settings, purpose: str, subject: str, state: str) -> str:
    """Shapes: "subject.expiry.signature", fit for a URL; subject holds no dot."""
    expires = int(time.time()) + LINK_SECONDS
    return f"{subject}.{expires}.{_signature(settings, purpose, subject, expires, state)}"


def subject_of(token: str) -> str:
    """Whom it claims to be about. Not yet believed: the state to check it against is looked up by it."""
    return token.partition(".")[0]


def is_valid(token: str, settings: Settings, purpose: str, state: str) -> bool:
    subject, _, rest = token.partition(".")
    expires, _, signature = rest.partition(".")
    if not (expires.isascii() and expires.isdecimal() and len(expires) < 15 and int(expires) > time.time()):
        return False
    wanted = _signature(settings, purpose, subject, int(expires), state)
    return hmac.compare_digest(wanted.encode(), signature.encode(errors="replace"))


def _signature(settings: Settings, purpose: str, subject: str, expires: int, state: str) -> str:
    text = "\n".join((purpose, subject, str(expires), state))
    key = settings.secret_key.get_secret_value().encode()
    return urlsafe_b64encode(hmac.digest(key, text.encode(errors="replace"), "sha256")).decode().rstrip("=")
