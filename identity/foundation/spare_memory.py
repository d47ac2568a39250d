"""Memory that a burst of work took and set free goes back to the system once the burst is over.

glibc keeps what is free in its heap below anything that is still in use: without this, what a process once needed for
an hour's rush it would have for good. To give it back after each piece of work would cost as much as the work.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable

from identity.foundation import clock

QUIET = 10.0
"""Seconds without work after which a burst counts as over."""


def give_back() -> None:
    """Have the C library give back what its heap holds free; does nothing where that cannot (musl)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Burst:
    """Calls a function once there was no work for a while. A thread waits for that while a burst lasts, and ends."""

    def __init__(self, seconds: float, when_over: Callable[[], None]) -> None:
        """Wait for nothing yet."""
        self._seconds = seconds
        self._when_over = when_over
        self._lock = threading.Lock()
        self._last = 0.0
        self._is_awaited = False

    def note_work(self) -> None:
        """Note that some work was done just now."""
        with self._lock:
            self._last = clock.monotonic()
            if self._is_awaited:
                return
            self._is_awaited = True
        threading.Thread(target=self._wait, name="spare-memory", daemon=True).start()

    def _wait(self) -> None:
        while (left := self._left()) > 0:
            time.sleep(left)
        self._when_over()

    def _left(self) -> float:
        with self._lock:
            left = self._last + self._seconds - clock.monotonic()
            self._is_awaited = left > 0
            return left


hashes = Burst(QUIET, give_back)
"""Of password hashes, which need some MiB each."""
