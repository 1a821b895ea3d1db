"""Several PostgreSQL servers, one of which is the right one, for asyncpg.

asyncpg knows several hosts, but gives all of them together one timeout: a primary that hangs hides its standby
(https://github.com/MagicStack/asyncpg/issues/1155).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from asyncpg.exceptions import CannotConnectNowError, TargetServerAttributeNotMatched

NEXT_HOST = (OSError, TimeoutError, CannotConnectNowError, TargetServerAttributeNotMatched)


async def connect(
    wanted: str,
    *,
    host: list[str],
    port: list[int],
    **arguments: Any,  # asyncpg's own
) -> "asyncpg.Connection[Any]":
    """A connection to the first host that answers and is of the kind wanted. The timeout is for each host.

    wanted: one of libpq's target_session_attrs.
    Errors: the last host's.
    """
    make: Callable[..., Awaitable[asyncpg.Connection[Any]]] = asyncpg.connect
    # Standbys first, then anything: asyncpg would take any when it is shown one host alone.
    for kind in ("standby", "any") if wanted == "prefer-standby" else (wanted,):
        for one_host, one_port in zip(host, port, strict=True):
            try:
                return await make(host=one_host, port=one_port, target_session_attrs=kind, **arguments)
            except NEXT_HOST as error:
                last = error
    raise last
