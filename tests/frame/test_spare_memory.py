"""What a burst of hashes took goes back to the system once it is over, and not before."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from identity.foundation import gate, spare_memory
from identity.foundation.spare_memory import Burst

BURST = """
from pathlib import Path
from identity.foundation import spare_memory

def taken():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) // 1024

before = taken()
work = [bytearray(b"x") * 50_000 for _ in range(1000)]
kept = bytearray(b"x") * 50_000  # above it in the heap
del work
between = taken()
spare_memory.give_back()
print(between - before, taken() - before, len(kept))
"""


def test_what_was_set_free_below_something_in_use_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", BURST], capture_output=True, text=True, check=True)
    between, after, _ = map(int, done.stdout.split())

    assert between > 40
    assert after < 10


def test_a_burst_is_over_once_and_only_after_its_last_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept, over = [100.0], [], threading.Semaphore(0)

    def sleep(seconds: float) -> None:
        now[0] += seconds
        slept.append(seconds)
        if len(slept) in {1, 2}:
            now[0] -= 1
            burst.note_work()
            now[0] += 1

    monkeypatch.setattr(spare_memory, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(spare_memory, "clock", SimpleNamespace(monotonic=lambda: now[0]))
    burst = Burst(10, over.release)

    burst.note_work()
    assert over.acquire(timeout=5)
    assert slept == [10, 9, 9]
    burst.note_work()
    assert over.acquire(timeout=5)
    assert slept[3:] == [10]
    assert not over.acquire(blocking=False)


def test_each_hash_counts_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[bool] = []
    monkeypatch.setattr(spare_memory.hashes, "note_work", lambda: noted.append(True))

    with gate.slot("pool"):
        assert noted == []

    assert noted == [True]
