"""Field types for what comes in."""

from typing import Annotated

from pydantic import AfterValidator

from app.db.types import is_storable


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("must not contain NUL or half a character")
    return text


PlainText = Annotated[str, AfterValidator(_storable)]
