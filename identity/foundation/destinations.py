"""How much may wait for the outside: permits, a breaker for each destination, and one clock over a whole call.

``outbound`` calls; this says whether it may now. Knows no HTTP.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from prometheus_client import Counter, Histogram

from identity.foundation import clock
from identity.foundation.errors import OutsideUnavailable, Overloaded
from identity.foundation.gate import outside_transactions

log = structlog.get_logger(__name__)
REFUSED = Counter("cognate_outbound_refused_total", "Outbound calls refused before they were made.", ["why"])
SECONDS = Histogram(
    "cognate_outbound_seconds", "How long outbound calls took.", buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)
CAP = 1 << 20
"""Bytes of an answer's body, unpacked."""
TOTAL = 3.0
"""Seconds that a whole call may take, retries included."""
PATIENCE = 0.1
"""Seconds that a call may wait for its permit."""
PER_DESTINATION = 4
FAILURES = 5
OPEN_SECONDS = 10.0
REMEMBERED = 4096


def origin(url: str) -> str:
    """Return scheme, host and port of a URL: the name of a destination."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


@dataclass(slots=True)
class Destination:
    """One scheme, host and port: how many calls are on their way, and how it has fared."""

    name: str
    calls: int = 0
    failures: int = 0
    open_until: float = 0.0
    is_probed: bool = False


class Permits:
    """One process's permits and breakers.

    At most ``total`` calls are under way, ``PER_DESTINATION`` to one place; as many again may wait a moment for a
    permit. Everyone else is refused at once, so that threads remain for those who ask us: a real STS fetches our
    keys while we wait for it.
    """

    def __init__(self, total: int, per_destination: int = PER_DESTINATION, patience: float = PATIENCE) -> None:
        """Open for business."""
        self.total = total
        self.per_destination = per_destination
        self.patience = patience
        self._free = threading.Condition()
        self._calls = 0
        self._waiting = 0
        self._known: OrderedDict[str, Destination] = OrderedDict()

    def enter(self, name: str, patience: float | None = None) -> None:
        """Take a permit, after so many seconds at most; without a number, as usual.

        Raises:
            Overloaded: too many calls are under way.
            OutsideUnavailable: the place has failed again and again, and rests.

        """
        until = clock.monotonic() + (self.patience if patience is None else patience)
        with self._free:
            place = self._place(name)
            self._check_breaker(place)
            if not self._has_room(place):
                self._wait(place, until)
                self._check_breaker(place)
            if place.open_until:
                place.is_probed = True
            place.calls += 1
            self._calls += 1

    def leave(self, name: str, *, failed: bool) -> None:
        """Give the permit back and say how the place fared."""
        with self._free:
            place = self._place(name)
            place.calls -= 1
            self._calls -= 1
            place.is_probed = False
            if failed:
                place.failures += 1
                if place.failures >= FAILURES:
                    place.open_until = clock.monotonic() + OPEN_SECONDS
                    log.warning("outbound_breaker_open", destination=name, seconds=OPEN_SECONDS)
            else:
                place.failures = 0
                place.open_until = 0.0
            # Waiters may want different places: whoever still finds no room waits on.
            self._free.notify_all()

    def _wait(self, place: Destination, until: float) -> None:
        if self._waiting >= self.total:
            REFUSED.labels("full").inc()
            raise Overloaded(detail=f"too many wait for {place.name}")
        self._waiting += 1
        try:
            while not self._has_room(place):
                if not self._free.wait(until - clock.monotonic()) and clock.monotonic() >= until:
                    REFUSED.labels("late").inc()
                    raise Overloaded(detail=f"no permit for {place.name}")
        finally:
            self._waiting -= 1

    def _has_room(self, place: Destination) -> bool:
        return self._calls < self.total and place.calls < self.per_destination

    def _check_breaker(self, place: Destination) -> None:
        if place.open_until and (place.is_probed or clock.monotonic() < place.open_until):
            REFUSED.labels("open").inc()
            raise OutsideUnavailable(detail=f"{place.name} rests after {place.failures} failures")

    def _place(self, name: str) -> Destination:
        place = self._known.get(name)
        if place is None:
            place = self._known[name] = Destination(name)
            for old in list(self._known) if len(self._known) > REMEMBERED else ():
                if not self._known[old].calls and old != name:
                    del self._known[old]
                    break
        else:
            self._known.move_to_end(name)
        return place


@lru_cache(maxsize=1)
def permits() -> Permits:
    """Return this process's permits: a third of its threads may be outside."""
    return Permits(max(1, settings.WEB_THREADS // 3))


@dataclass(slots=True)
class OutboundCall:
    """A call under way."""

    destination: str
    ends: float
    failed: bool = False


_outbound_call: ContextVar[OutboundCall | None] = ContextVar("outbound_call", default=None)
_ends: ContextVar[float] = ContextVar("ends", default=float("inf"))


@contextmanager
def within(total: float) -> Iterator[None]:
    """Run one clock over several calls, wherever they go: none of them ends later. Holds no permit between them."""
    token = _ends.set(min(clock.monotonic() + total, _ends.get()))
    try:
        yield
    finally:
        _ends.reset(token)


@contextmanager
def call(destination: str, *, total: float = TOTAL, patience: float | None = None) -> Iterator[OutboundCall]:
    """Hold a permit for a destination (``https://host:port``) with one clock over everything asked there.

    ``patience``: seconds to wait for the permit, of whom nobody waits for.

    A call inside a call to the same place goes by the outer one's permit and clock; to another place it takes a
    permit of its own and ends no later than the outer one.

    Raises:
        Misuse: a transaction is open.
        Overloaded: too many calls are under way.
        OutsideUnavailable: the place has failed again and again, and rests; or time is up before it is asked.

    """
    outside_transactions(f"A call to {destination}")
    outer = _outbound_call.get()
    if outer is not None and outer.destination == destination:
        yield outer
        return
    if clock.monotonic() >= _ends.get():
        raise OutsideUnavailable(detail=f"{destination} was not asked: out of time")
    own = permits()
    own.enter(destination, patience)
    began = clock.monotonic()
    outbound_call = OutboundCall(destination, min(began + total, _ends.get(), outer.ends if outer else float("inf")))
    token = _outbound_call.set(outbound_call)
    try:
        yield outbound_call
    finally:
        _outbound_call.reset(token)
        own.leave(destination, failed=outbound_call.failed)
        SECONDS.observe(clock.monotonic() - began)


def remaining() -> float:
    """Return the seconds that the call under way still has.

    Raises:
        OutsideUnavailable: none.

    """
    outbound_call = _outbound_call.get()
    if outbound_call is None:
        return TOTAL
    left = outbound_call.ends - clock.monotonic()
    if left <= 0:
        outbound_call.failed = True
        raise OutsideUnavailable(detail=f"{outbound_call.destination}: out of time")
    return left
