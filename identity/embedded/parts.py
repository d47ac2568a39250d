"""What the supervisor starts and keeps alive: the description of a part, not the keeping (that is ``run``).

A part is one process in the foreground. ``identity.embedded.aws`` answers ``parts(data_dir)`` with an
:class:`PartGroup`; everything slow belongs into a part's ``before``, which runs in the part's own thread.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class CannotStart(Exception):
    """What is wrong, as the one line that a person reads before everything stops."""


def always() -> bool:
    """Answer yes: the part counts as ready once it runs."""
    return True


def nothing() -> None:
    """Have nothing to do before a start."""


@dataclass(frozen=True)
class Part:
    """One process in the foreground, with all that is needed to start, watch and stop it."""

    name: str
    """Short; what it says is kept in ``log/NAME.log``."""
    command: tuple[str, ...]
    """Program by absolute path, and its arguments."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it is told beside the supervisor's own environment."""
    directory: Path | None = None
    """Where it runs; entered before privileges are dropped. None: where the supervisor runs."""
    uid: int | None = None
    """The user id that it runs under when the supervisor is root; None: the supervisor's own."""
    gid: int | None = None
    """The group id that goes with ``uid``."""
    after: tuple[str, ...] = ()
    """Names of the parts that must be ready before this one starts."""
    before: Callable[[], None] = nothing
    """Runs before each start, restarts included: clears what a killed predecessor left. May take long."""
    ready: Callable[[], bool] = always
    """Asked every 50 ms until it says yes; must answer fast and never raise."""
    ready_seconds: float = 60
    """How long the part may take to be ready before it counts as dead."""
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to end; it is also sent by the kernel when the supervisor is killed."""
    stop_seconds: float = 10
    """How long it may take to end before it is killed."""
    hushed: tuple[str, ...] = ()
    """Lines that contain one of these are no last words: advice that does not fit an embedded server."""


@dataclass(frozen=True)
class PartGroup:
    """Parts that belong together, and what web and worker must be told of them."""

    parts: tuple[Part, ...]
    """In the order in which they are started."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment for web, worker, beat and ``manage.py``: addresses, known before any part runs."""
    ready: Callable[[], bool] = always
    """Whether all of it answers; ``seed_demo --aws ready`` runs then."""
