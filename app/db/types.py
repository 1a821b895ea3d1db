"""Column types that behave alike on SQLite and PostgreSQL.

SQLite stores what it is given: text of any length in a VARCHAR(10), a time without its zone. PostgreSQL
refuses or converts. These types refuse and convert on both, before the database sees the value.
"""

from datetime import UTC, datetime

from sqlalchemy import JSON, DateTime, Dialect, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


def is_storable(text: str) -> bool:
    """PostgreSQL stores no NUL, and no UTF-8 holds a lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


class BoundedString(TypeDecorator[str]):
    """VARCHAR(length).

    Units: characters.
    Errors: ValueError (as SQLAlchemy's StatementError) for longer text, and for what is_storable() refuses.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is not None and (len(value) > self.length or not is_storable(value)):
            raise ValueError(f"text of at most {self.length} characters without NUL is wanted")
        return value


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: always aware, always UTC, to the microsecond.

    Errors: ValueError (as SQLAlchemy's StatementError) for a naive datetime: which hour it means cannot be known.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime with a time zone is wanted")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# JSONB compares and indexes by content; SQLite keeps JSON as text.
Json = JSON().with_variant(JSONB(), "postgresql")
