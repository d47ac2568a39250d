"""Rate windows in Redis, to shed load. They fail open: lock-out and send limits, which must hold, are PostgreSQL's.

A fixed window of one counter a key; a Redis that is away or silent costs a tenth of a second once in two seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache

import redis
import structlog
from django.conf import settings
from prometheus_client import Counter
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import RedisError
from redis.retry import Retry

from identity.foundation import clock

log = structlog.get_logger(__name__)
FAILED_OPEN = Counter("cognate_limits_failed_open_total", "Rate windows that were not asked because Redis was away.")
REFUSED = Counter("cognate_limits_refused_total", "Requests refused by a rate window.", ["name"])
TIMEOUT = 0.1
BREAK = 2.0
_broken_until = 0.0
_lock = threading.Lock()


@lru_cache(maxsize=1)
def connection() -> redis.Redis:
    """Return this process's connection pool to Redis."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        max_connections=settings.WEB_THREADS + 4,
    )


def take(name: str, key: str, *, limit: int, window: int) -> bool:
    """Take one from a window of ``window`` seconds; say whether ``limit`` still allows it. True without Redis."""
    slot = _slot(name, key, window)
    count = _asked(lambda redis: (redis.incr(slot), redis.expire(slot, window + 1)))
    if count is not None and count > limit:
        REFUSED.labels(name).inc()
        return False
    return True


def wait(name: str, key: str, *, limit: int, window: int) -> int:
    """Take nothing; return the seconds until a window that is used up ends. 0 while it is not, and without Redis."""
    slot = _slot(name, key, window)
    count = _asked(lambda redis: redis.get(slot))
    if count is None or count < limit:
        return 0
    REFUSED.labels(name).inc()
    return window - clock.epoch() % window


def _slot(name: str, key: str, window: int) -> str:
    return f"{settings.REDIS_PREFIX}limit:{name}:{key}:{clock.epoch() // window}"


def _asked(commands: Callable[[Pipeline], object]) -> int | None:
    """Return the count that the first command answers; None where Redis is away, or was a moment ago."""
    global _broken_until  # noqa: PLW0603 - one breaker a process
    if clock.monotonic() < _broken_until:
        FAILED_OPEN.inc()
        return None
    try:
        with connection().pipeline(transaction=False) as pipeline:
            commands(pipeline)
            return int(pipeline.execute()[0] or 0)
    except (RedisError, OSError) as problem:
        with _lock:
            _broken_until = clock.monotonic() + BREAK
        FAILED_OPEN.inc()
        log.warning("limits_failed_open", problem=type(problem).__name__)
        return None
