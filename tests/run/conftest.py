"""A Redis that only the live installation uses, so that it may go away or say nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import own_redis
from tests.live import Live
from tests.own_redis import OwnRedis


@pytest.fixture(scope="module")
def redis(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    """Return a Redis that only the live installation uses."""
    before = dict(live.settings)
    with own_redis.running(tmp_path_factory.mktemp("away")) as server:
        live.settings["REDIS_URL"] = server.url
        live.restart()
        yield server
        live.settings.clear()
        live.settings.update(before)
        live.restart()
