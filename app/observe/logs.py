"""Log lines on standard error, each with the id of the request that it belongs to."""

import logging
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class WithoutQuery(logging.Filter):
    """What follows the question mark may be a secret: the token of a link in an e-mail."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "uvicorn.access" and isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            record.args = (client, method, str(path).partition("?")[0], *rest)
        return True


def config(level: str) -> dict[str, Any]:  # Any: logging's own schema
    """What ``logging.config.dictConfig`` takes, for this service and for uvicorn."""
    names = ("app", "uvicorn")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}, "without_query": {"()": WithoutQuery}},
        "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["request_id", "without_query"],
            },
        },
        "loggers": {name: {"handlers": ["stderr"], "level": level.upper()} for name in names},
    }
