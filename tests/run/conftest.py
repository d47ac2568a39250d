"""The Redis of the live installation, which may go away or say nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import Live
from tests.own_redis import OwnRedis


@pytest.fixture(scope="module")
def redis(live: Live) -> Iterator[OwnRedis]:
    """Return the Redis; whoever comes next finds processes that had no trouble with it."""
    yield live.redis
    live.restart()
