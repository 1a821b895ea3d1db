"""Log lines on standard error, each with the id of the request that it belongs to."""

import logging
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def config(level: str) -> dict[str, Any]:  # Any: logging's own schema
    """What ``logging.config.dictConfig`` takes, for this service and for uvicorn."""
    names = ("app", "uvicorn")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
        },
        "loggers": {name: {"handlers": ["stderr"], "level": level.upper()} for name in names},
    }
