"""What providers publish, as a process holds it: read again after a while, and kept while its provider is away.

Knows no format: who reads a URL says what is made of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from identity.foundation import clock
from identity.foundation.destinations import TOTAL
from identity.foundation.errors import NO_PARAMETERS, OutsideUnavailable, Parameters

Document = TypeVar("Document")

FRESH = 600.0
"""Seconds for which a document is used without asking again."""
STALE = 86_400.0
"""Seconds for which it is used where nobody answers when asked again."""
REST = 30.0
"""Seconds after a try that failed before the next."""
FORCED = 10.0
"""Seconds between two tries that somebody's token forced: providers make some keys when they are first needed."""
REMEMBERED = 512


class State(NamedTuple):
    """How reading a document went lately."""

    read_at: datetime | None = None
    """When it was last had."""
    failed_at: datetime | None = None
    """When it could not be had, where that was the last try."""
    problem: str = ""
    """Why: the error's code."""
    parameters: Parameters = NO_PARAMETERS
    detail: str = ""

    def error(self, url: str) -> OutsideUnavailable:
        """Return why it could not be had."""
        detail = self.detail or f"nobody has read {url} in time"
        return OutsideUnavailable(code=self.problem, parameters=self.parameters, detail=detail)


@dataclass(slots=True)
class Entry(Generic[Document]):
    """What is known of one URL."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever asks."""
    value: Document | None = None
    read_at: float = float("-inf")
    failed_at: float = float("-inf")
    forced_at: float = float("-inf")
    state: State = field(default_factory=State)

    def usable(self, seconds: float) -> Document | None:
        """Return the document unless it is older than so many seconds."""
        return self.value if clock.monotonic() - self.read_at < seconds else None

    def is_due(self, known: Document | None) -> bool:
        """Say whether to ask now: for a fresh document, or for one that is not the known one."""
        now = clock.monotonic()
        if now - self.failed_at < REST:
            return False
        return self.usable(FRESH) is None if known is None else self.value is known and now - self.forced_at >= FORCED


class Published(Generic[Document]):
    """Documents by their URL, the least used forgotten first. One thread asks for one; others use what there is."""

    def __init__(self, read: Callable[[str], Document]) -> None:
        """Hold nothing. ``read`` raises OutsideUnavailable where there is nothing to be had of a URL."""
        self._read = read
        self._entries: OrderedDict[str, Entry[Document]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: str) -> Document:
        """Return a document, at most :data:`STALE` seconds old.

        Raises:
            OutsideUnavailable: it cannot be had.
            Overloaded: too many calls are under way.

        """
        entry = self._entry(url)
        found = entry.usable(FRESH)
        return found if found is not None else self._renewed(url, entry)

    def newer(self, url: str, known: Document) -> Document:
        """Return a document that is not the known one, if there is one and it may be asked for now; else the known one.

        Raises:
            Overloaded: too many calls are under way.

        """
        return self._renewed(url, self._entry(url), known)

    def state(self, url: str) -> State:
        """Return how reading a document went lately, as this process knows; nobody is asked or waited for."""
        with self._lock:
            entry = self._entries.get(url)
            return entry.state if entry is not None else State()

    def ask(self, url: str) -> None:
        """Ask for a document now, whatever is known of it: :meth:`state` says what came of that.

        Raises:
            Overloaded: too many calls are under way.

        """
        entry = self._entry(url)
        if entry.lock.acquire(timeout=TOTAL):  # else another thread asks, longer than a call may take
            try:
                self._ask(url, entry)
            finally:
                entry.lock.release()

    def forget_everything(self) -> None:
        """Hold nothing again."""
        with self._lock:
            self._entries.clear()

    def _entry(self, url: str) -> Entry[Document]:
        with self._lock:
            entry = self._entries.setdefault(url, Entry())
            self._entries.move_to_end(url)
            while len(self._entries) > REMEMBERED:
                self._entries.popitem(last=False)
            return entry

    def _renewed(self, url: str, entry: Entry[Document], known: Document | None = None) -> Document:
        # Whoever has an old one does not wait for another thread that asks.
        if entry.lock.acquire(timeout=0 if entry.usable(STALE) is not None else TOTAL):
            try:
                if entry.is_due(known):
                    entry.forced_at = entry.forced_at if known is None else clock.monotonic()
                    self._ask(url, entry)
            finally:
                entry.lock.release()
        found = entry.usable(STALE)
        if found is None:
            raise entry.state.error(url)
        return found

    def _ask(self, url: str, entry: Entry[Document]) -> None:
        try:
            entry.value = self._read(url)
        except OutsideUnavailable as problem:
            entry.failed_at = clock.monotonic()
            state = (problem.code, problem.parameters, problem.detail)
            entry.state = State(entry.state.read_at, clock.now(), *state)
        else:
            entry.read_at, entry.failed_at = clock.monotonic(), float("-inf")
            entry.state = State(clock.now())
