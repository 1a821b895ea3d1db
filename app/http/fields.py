"""Field types for what comes in."""

from typing import Annotated

from pydantic import AfterValidator


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL")  # PostgreSQL cannot store it
    return text


PlainText = Annotated[str, AfterValidator(_without_nul)]
