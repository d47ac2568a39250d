"""What a process holds of one kind of row, by public id, until its version moves.

When that is asked, and what kinds there are, is ``configuration``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

HOLD = 20_000


class Versioned(Protocol):
    """What is held by its public id until its version moves."""

    @property
    def version(self) -> int:
        """Return the version that is held."""


Held = TypeVar("Held", bound=Versioned)


class VersionedCache(Generic[Held]):
    """What is held of one kind, by public id; the first to come are the first to go where there are too many."""

    def __init__(self, lock: threading.Lock, load: Callable[[str], Held], part: Callable[[str, Held], None]) -> None:
        """Take what loads one, and what is to be done, under the lock, when one goes."""
        self._lock, self._load, self._part = lock, load, part
        self._held: OrderedDict[str, Held] = OrderedDict()

    def get(self, public_id: str) -> Held:
        """Return one; whatever its loader raises where there is none."""
        held = self._held.get(public_id)
        if held is None:
            held = self._load(public_id)
            with self._lock:
                self._held[public_id] = held
                while len(self._held) > HOLD:
                    self.drop(next(iter(self._held)))
        return held

    def peek(self, public_id: str) -> Held | None:
        """Return one that is held."""
        return self._held.get(public_id)

    def drop(self, public_id: str, *, unless: int | None = None) -> None:
        """Drop one, unless it is held in this version; under the lock."""
        held = self._held.get(public_id)
        if held is not None and held.version != unless:
            del self._held[public_id]
            self._part(public_id, held)

    def clear(self) -> None:
        """Drop all, under the lock."""
        for public_id in list(self._held):
            self.drop(public_id)
