"""When a held database connection is asked whether it still lives: not before every request.

Django asks ``SELECT 1`` before the first statement of each request, a sixth of what a token check costs. Here a
connection that worked within the last second is trusted, unless any connection of this process has failed since: a
database that went away costs a process one failed request, not one for each thread.
"""

from __future__ import annotations

import threading

from django.core.signals import request_finished, request_started
from django.db import connection

from identity.foundation import clock

TRUSTED = 1.0
_local = threading.local()
_failed_at = float("-inf")


def install() -> None:
    """Watch requests begin and end. Django's own receivers, which close what is broken, run before these."""
    request_started.connect(trust_what_just_worked, dispatch_uid="connections.started")
    request_finished.connect(note_how_it_went, dispatch_uid="connections.finished")


def begin() -> None:
    """Begin a request that is none of Django's, as its signals do for the connection, at a third of their cost."""
    connection.close_if_unusable_or_obsolete()
    trust_what_just_worked()


def end() -> None:
    """End it."""
    connection.close_if_unusable_or_obsolete()
    note_how_it_went()


def trust_what_just_worked(**_: object) -> None:
    """Spare the question where the answer is known."""
    worked_at: float = getattr(_local, "worked_at", float("-inf"))
    if clock.monotonic() - worked_at < TRUSTED and worked_at > _failed_at:
        connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs leave it out


def note_how_it_went(**_: object) -> None:
    """Remember when this thread's connection worked, and when any failed."""
    global _failed_at  # noqa: PLW0603 - one a process
    if connection.errors_occurred:
        _failed_at = clock.monotonic()
    elif connection.connection is not None:
        _local.worked_at = clock.monotonic()
