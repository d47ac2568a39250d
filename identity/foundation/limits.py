"""Rate windows in Redis, to shed load. They fail open: lock-out and send limits, which must hold, are PostgreSQL's.

A fixed window of one counter a key; a Redis that is away or silent costs a tenth of a second once in two seconds.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import redis
import structlog
from django.conf import settings
from prometheus_client import Counter
from redis.backoff import NoBackoff
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
    global _broken_until  # noqa: PLW0603 - one breaker a process
    if clock.monotonic() < _broken_until:
        FAILED_OPEN.inc()
        return True
    slot = f"{settings.REDIS_PREFIX}limit:{name}:{key}:{clock.epoch() // window}"
    try:
        with connection().pipeline(transaction=False) as pipeline:
            pipeline.incr(slot)
            pipeline.expire(slot, window + 1)
            count = int(pipeline.execute()[0])
    except (RedisError, OSError) as problem:
        with _lock:
            _broken_until = clock.monotonic() + BREAK
        FAILED_OPEN.inc()
        log.warning("limits_failed_open", problem=type(problem).__name__)
        return True
    if count > limit:
        REFUSED.labels(name).inc()
        return False
    return True
