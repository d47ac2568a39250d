"""Rate windows: they count, they let everybody through without Redis, and they ask again when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest
from pytest_django import Settings
from redis import Redis

from identity.foundation import clock, limits
from tests import own_redis
from tests.own_redis import OwnRedis

AWAY = ["gone", "silent"]


class Clock:
    """A clock that only goes on when it is told to."""

    def __init__(self) -> None:
        """Start anywhere."""
        self.at = 1000.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.at


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with own_redis.running(tmp_path_factory.mktemp("limits")) as started:
        yield started


@pytest.fixture
def time(server: OwnRedis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Return the clock of a process that has not asked this Redis yet."""
    settings.REDIS_URL = server.url
    limits.connection.cache_clear()
    stands = Clock()
    monkeypatch.setattr(limits, "_broken_until", 0.0)
    monkeypatch.setattr(clock, "monotonic", stands)
    monkeypatch.setattr(clock, "epoch", lambda: 600)
    connection = limits.connection
    yield stands
    connection().close()
    connection.cache_clear()


def take(key: str, limit: int = 1) -> bool:
    return limits.take("test", key, limit=limit, window=60)


def failed_open() -> float:
    return float(limits.FAILED_OPEN._value.get())


def test_a_window_allows_its_limit_to_each_key_and_opens_anew(time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = limits.REFUSED.labels("test")._value
    before = refused.get(), failed_open()

    assert [take("ann", 3) for _ in range(5)] == [True, True, True, False, False]
    assert take("bob", 3)
    monkeypatch.setattr(clock, "epoch", lambda: 660)
    assert take("ann", 3)

    assert (refused.get() - before[0], failed_open() - before[1]) == (2, 0)


@pytest.mark.parametrize("away", AWAY)
def test_without_redis_everybody_is_let_through_and_one_in_two_seconds_waits(
    server: OwnRedis, time: Clock, away: str
) -> None:
    assert [take(away), take(away)] == [True, False]
    before = failed_open()

    with getattr(server, away)():
        began = monotonic()
        assert take(away)
        assert monotonic() - began < 1, "the first to notice waits for long"
        time.at += limits.BREAK - 0.1
        began = monotonic()
        assert all(take(away) for _ in range(200))
        assert monotonic() - began < limits.TIMEOUT * 20, "those after the first wait too"
        assert failed_open() - before == 201

    # Back, but nobody asks before the two seconds are over.
    assert take(away, 0)
    assert failed_open() - before == 202
    time.at += 0.2
    assert not take(away, 0)
    assert failed_open() - before == 202


@pytest.mark.parametrize("away", AWAY)
def test_a_redis_that_stays_away_is_asked_again_once_in_two_seconds(
    server: OwnRedis, time: Clock, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    connection = limits.connection

    def noted() -> Redis:
        asked.append(time.at)
        return connection()

    monkeypatch.setattr(limits, "connection", noted)

    with getattr(server, away)():
        for _ in range(60):
            assert take(away)
            time.at += 0.1

    assert len(asked) == 3, asked
