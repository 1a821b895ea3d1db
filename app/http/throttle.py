"""How often somebody may try: counted for an account and for an address, in this process or in Redis."""

import logging
from typing import Annotated

from fastapi import Depends, Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from app.errors import TooManyRequests
from app.observe import context
from app.settings import Settings

logger = logging.getLogger(__name__)

PER_ACCOUNT = parse("10 per 15 minutes")
PER_ADDRESS = parse("300 per 15 minutes")  # an office may share one
REDIS_SECONDS = 1  # for one that is silent


class Throttle:
    def __init__(self, settings: Settings) -> None:
        url = settings.rate_limit_url.get_secret_value()
        storage = MemoryStorage() if url == "memory://" else _redis(url)
        # Not the moving window: its store in memory loses a race against clear() (limits 5.8), and looks at all keys,
        # each in a thread, at every attempt.
        self._limiter = FixedWindowRateLimiter(storage)

    async def attempt(self, what: str, email: str) -> None:
        """Count before trying, so that a hundred tries at once are a hundred.

        Errors: TooManyRequests.
        """
        # The address first: one that may not try any more uses up nobody's attempts.
        for limit, key in ((PER_ADDRESS, context.actor.get().ip_address or "-"), (PER_ACCOUNT, email)):
            if not await self._hit(limit, what, key):
                raise TooManyRequests("Too many attempts. Wait some minutes.", limit.get_expiry())

    async def forgive(self, what: str, email: str) -> None:
        """The right password was given: what was mistyped before counts no more."""
        try:
            await self._limiter.clear(PER_ACCOUNT, what, email)
        except StorageError as error:
            logger.warning("attempts are not counted: %s", type(error).__name__)

    async def _hit(self, limit: RateLimitItem, what: str, key: str) -> bool:
        try:
            return await self._limiter.hit(limit, what, key)
        except StorageError as error:
            # Nobody could log in while Redis is away, and whoever wants that would attack Redis: let them try.
            logger.warning("attempts are not counted: %s", type(error).__name__)
            return True


async def _of_this_process(request: Request) -> Throttle:
    state = request.app.state
    if not hasattr(state, "throttle"):
        state.throttle = Throttle(state.settings)
    throttle: Throttle = state.throttle
    return throttle


CurrentThrottle = Annotated[Throttle, Depends(_of_this_process)]


def _redis(url: str) -> Storage:
    """Errors: ConfigurationError, where the extra "redis" is not installed."""
    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        wrap_exceptions=True,
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
    )
