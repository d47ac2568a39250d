"""The gate before slow arithmetic: password hashes and SRP, one at a time in a process.

A bounded queue: whoever finds it full, or waits too long, is refused at once, so that quick endpoints always
find a thread and a core. Slots are handed round by pool, so that one pool's storm does not starve another.
"""

from __future__ import annotations

import contextvars
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.db import connection
from prometheus_client import Counter, Histogram

from identity.foundation import clock, spare_memory
from identity.foundation.errors import Misuse, Overloaded

REFUSED = Counter("cognate_gate_refused_total", "Password hashes refused because the gate was full.", ["why"])
WAITED = Histogram(
    "cognate_gate_wait_seconds", "How long password hashes waited.", buckets=(0.001, 0.01, 0.03, 0.1, 0.3, 1)
)
_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside_gate", default=False)


def outside_transactions(what: str) -> None:
    """Assert that no transaction is open: nothing slow may hold a row or a connection's snapshot.

    Raises:
        Misuse: one is open. Test cases that wrap themselves in a transaction do not count.

    """
    if not connection.in_atomic_block:
        return
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise Misuse(f"{what} inside a transaction")


class Waiter:
    """One who waits: woken to go in, or to be told that the place went to a pool that had none."""

    def __init__(self) -> None:
        """Wait for either."""
        self.come = threading.Event()
        self.refused = False


class Gate:
    """One slot, and at most ``waiters`` in line: at most half of them of one pool while another waits.

    A pool without a place gets the youngest one of the longest line, so that no pool's storm keeps others out.
    """

    def __init__(self, waiters: int, deadline: float) -> None:
        """Open the gate."""
        self.waiters = waiters
        self.deadline = deadline
        self._lock = threading.Lock()
        self._busy = False
        self._lines: OrderedDict[str, deque[Waiter]] = OrderedDict()
        self._waiting = 0

    def enter(self, pool: str) -> None:
        """Take the slot, waiting for it in the pool's line.

        Raises:
            Overloaded: the line is full, or the deadline passed.

        """
        with self._lock:
            if not self._busy:
                self._busy = True
                return
            self._refuse_if_full(pool)
            if self._waiting >= self.waiters:
                self._make_room()
            waiter = Waiter()
            self._lines.setdefault(pool, deque()).append(waiter)
            self._waiting += 1
        began = clock.monotonic()
        if waiter.come.wait(self.deadline):
            self._go_in(waiter, began)
            return
        with self._lock:
            if not waiter.come.is_set():
                self._leave_line(pool, waiter)
        if waiter.come.is_set():  # at the last moment
            self._go_in(waiter, began)
            return
        REFUSED.labels("late").inc()
        raise Overloaded(detail="hash gate deadline")

    def refuse_if_full(self, pool: str) -> None:
        """Raise Overloaded where a newcomer of this pool would find no place in line."""
        with self._lock:
            if self._busy:
                self._refuse_if_full(pool)

    def _refuse_if_full(self, pool: str) -> None:
        line = self._lines.get(pool)
        crowded = line is not None and len(line) >= max(1, self.waiters // 2) and len(self._lines) > 1
        full = self._waiting >= self.waiters and (line is not None or not self._has_room_to_make())
        if full or crowded:
            REFUSED.labels("full").inc()
            raise Overloaded(detail="hash gate full")

    def _has_room_to_make(self) -> bool:
        return any(len(line) > 1 for line in self._lines.values())

    def _make_room(self) -> None:
        waiter = max(self._lines.values(), key=len).pop()
        self._waiting -= 1
        waiter.refused = True
        waiter.come.set()

    def _go_in(self, waiter: Waiter, began: float) -> None:
        if waiter.refused:
            REFUSED.labels("displaced").inc()
            raise Overloaded(detail="the place in line went to a pool that had none")
        WAITED.observe(clock.monotonic() - began)

    def leave(self) -> None:
        """Hand the slot to the next pool's first waiter, or set it free."""
        with self._lock:
            if not self._lines:
                self._busy = False
                return
            pool, line = next(iter(self._lines.items()))
            waiter = line.popleft()
            self._waiting -= 1
            if line:
                self._lines.move_to_end(pool)
            else:
                del self._lines[pool]
            waiter.come.set()

    def _leave_line(self, pool: str, waiter: Waiter) -> None:
        line = self._lines[pool]
        line.remove(waiter)
        self._waiting -= 1
        if not line:
            del self._lines[pool]


@lru_cache(maxsize=1)
def the_gate() -> Gate:
    """Return this process's gate."""
    return Gate(settings.HASH_WAITERS, settings.HASH_DEADLINE)


def refuse_if_full(pool: str) -> None:
    """Turn away, before anything is asked of the database, whom :func:`slot` would turn away.

    Raises:
        Overloaded: too many are waiting.

    """
    the_gate().refuse_if_full(pool)


@contextmanager
def slot(pool: str) -> Iterator[None]:
    """Hold the slot while hashing. Nested use by the same request holds it once.

    Raises:
        Overloaded: too many are waiting.

    """
    outside_transactions("A password hash")
    if _inside.get():
        yield
        return
    gate = the_gate()
    gate.enter(pool)
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
        gate.leave()
        spare_memory.hashes.note_work()
