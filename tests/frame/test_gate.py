"""The gate's line: bounded, fair between pools, and quick to turn away."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from identity.foundation import gate
from identity.foundation.errors import Overloaded


def wait_until_waiting(line: gate.Gate, count: int) -> None:
    until = monotonic() + 5
    while line._waiting != count:
        assert monotonic() < until
        sleep(0.005)


def storm(line: gate.Gate, threads: ThreadPoolExecutor, pool: str, count: int) -> list[Future[bool]]:
    """Have many of one pool come, one after the other."""

    def come() -> bool:
        try:
            line.enter(pool)
        except Overloaded:
            return False
        line.leave()
        return True

    found = []
    for number in range(count):
        found.append(threads.submit(come))
        wait_until_waiting(line, number + 1)
    return found


def test_one_pools_storm_keeps_no_other_pool_out() -> None:
    line = gate.Gate(waiters=6, deadline=5)
    line.enter("first")
    with ThreadPoolExecutor(12) as threads:
        stormers = storm(line, threads, "stormy", 6)
        with pytest.raises(Overloaded):
            line.enter("stormy")
        calm = threads.submit(line.enter, "calm")
        assert stormers[-1].result(timeout=5) is False  # the youngest made room
        line.leave()
        order = [calm.result(timeout=5)]
        line.leave()
        came = [stormer.result(timeout=5) for stormer in stormers]

    assert order == [None]
    assert came == [True] * 5 + [False]


def test_a_full_line_turns_away_at_once() -> None:
    line = gate.Gate(waiters=1, deadline=5)
    line.enter("first")
    waiter = threading.Thread(target=line.enter, args=("first",))
    waiter.start()
    wait_until_waiting(line, 1)
    began = monotonic()

    with pytest.raises(Overloaded):
        line.enter("first")
    with pytest.raises(Overloaded):
        line.refuse_if_full("other")  # the only one who waits is not sent away

    assert monotonic() - began < 1
    line.leave()
    waiter.join()
    line.leave()


def test_whoever_waits_too_long_is_turned_away_and_holds_no_place() -> None:
    line = gate.Gate(waiters=1, deadline=0.05)
    line.enter("first")

    for _ in range(3):
        with pytest.raises(Overloaded):
            line.enter("first")

    line.leave()
    line.enter("first")
