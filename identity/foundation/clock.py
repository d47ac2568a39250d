"""The only reader of time. Tests freeze it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def epoch() -> int:
    """Return the present moment as whole seconds since 1970, as JWTs want it."""
    return int(time.time())


def monotonic() -> float:
    """Return seconds on a clock that never goes back, for deadlines and measured durations."""
    return time.monotonic()
