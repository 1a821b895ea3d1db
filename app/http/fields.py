"""Field types for what comes in."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from app.db.types import is_storable


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("must not contain NUL or half a character")
    return text


# Behind the constraints of a text that is stripped: those behind a validator are checked before the strip.
Storable = AfterValidator(_storable)
PlainText = Annotated[str, Storable]

# What browsers take for one: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
ADDRESS = (
    r"^[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"
)

# In lower case: nobody means two accounts by one address. 254 is what SMTP carries.
Email = Annotated[str, Field(max_length=254, pattern=ADDRESS), AfterValidator(str.lower)]


def _whole(value: object) -> object:
    """12.0 is an integer to JSON Schema, and to a strict model it is not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
