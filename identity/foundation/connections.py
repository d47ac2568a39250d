"""How long a database connection lives, when it is asked whether it still does, and how many there are.

A thread holds one connection, which ends with it. Django asks ``SELECT 1`` before the first statement of each request,
a sixth of what a token check costs. Here a connection that worked within the last second is trusted, unless any
connection of this process has failed since: a database that went away costs a process one failed request, not one for
each thread. A database that is there and says nothing is given up, and its connection closed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import psycopg
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connection, connections
from django.db.backends.signals import connection_created

from identity.foundation import clock

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from psycopg.abc import PQGen

TRUSTED = 1.0
SWEPT_LANES = 2
"""Lanes of the outbox into which a worker looks by a thread of its own,"""
SWEEPERS = 4
"""with so many threads beside each that deliver what it finds."""
IMPORT_SWEEPERS = 1
"""And its thread that does the imports of which nobody told it."""
PROBE_SECONDS = 2
"""How long readiness waits for a connection, and again for its answer: libpq's least."""
UNAVAILABLE = (OperationalError, InterfaceError)
"""What Django raises where the database is away, takes no more connections or gives up: no request is to blame."""
OF_A_STATEMENT = frozenset({"57014", "40001", "40P01", "55P03"})
"""SQL states of what PostgreSQL ended by itself: out of time, not serializable, deadlocked, a lock not to be had."""
WORDS = 200
RETRY_SECONDS = 1
"""What whoever is told so is asked to wait."""
_local = threading.local()
_failed_at = float("-inf")


def described(problem: BaseException) -> dict[str, Any]:
    """Return what a log line says of the database's failure: its first words, and a traceback only of one statement.

    Where the database is away or full, which statement met it is chance; where it ended a statement (a time-out, a
    deadlock), that one is the news.
    """
    state = getattr(problem.__cause__, "sqlstate", None) or ""
    words = str(problem).partition("\n")[0][:WORDS] or type(problem).__name__
    return {"problem": words, **({"exc_info": problem} if state in OF_A_STATEMENT else {})}


def is_cause() -> bool:
    """Say whether what is being handled just now was raised because the database is unavailable."""
    return isinstance(sys.exception(), UNAVAILABLE)


def wanted(*, web_threads: Iterable[int], worker_threads: int) -> int:
    """Return how many connections an installation may hold, given the threads of each of its web processes.

    One for each thread, the worker's sweeps and beat included, and one more of each web process: readiness opens it.
    """
    web = sum(threads + 1 for threads in web_threads)
    return web + worker_threads + SWEPT_LANES * (1 + SWEEPERS) + IMPORT_SWEEPERS + 1


class Held:
    """Closes a connection as soon as nothing of its thread holds this any more: at the thread's end at the latest.

    Django's own wrapper is a cycle of references, and waits with the connection for the garbage collector.
    """

    __slots__ = ("_close", "_process")

    def __init__(self, made: Any) -> None:  # noqa: ANN401 - psycopg's
        """Keep a connection of this process."""
        self._close = made.close
        self._process = os.getpid()

    def __del__(self) -> None:
        """Close it, if it is not closed yet. A forked child leaves its parent's alone."""
        if self._process == os.getpid():
            self._close()


def end_with_the_thread(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Bind a new connection to the thread that made it; one that it made before is closed."""
    held: dict[str, Held] = _local.__dict__.setdefault("held", {})
    held[connection.alias] = Held(connection.connection)


class Bounded(psycopg.Connection[Any]):
    """Gives up on a server that does not answer: libpq itself would wait for ever, and a thread with it.

    The server ends a statement that takes too long by itself, and the kernel misses a machine that is gone. This is
    for the one that is there, takes what is sent and does nothing: stopped, or out of its disk.
    """

    silent_seconds: float | None = None

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - whatever is waited for
        """Wait for the server, but not for ever.

        Raises:
            OperationalError: it has said nothing for too long. The connection is closed: an answer may still come.

        """
        if timeout is not None or self.silent_seconds is None:
            return super().wait(gen, interval, timeout)
        until = clock.monotonic() + self.silent_seconds
        try:
            return super().wait(gen, interval, self.silent_seconds)
        except psycopg.OperationalError:
            if self.closed or clock.monotonic() < until:
                raise
            self.close()
            raise psycopg.OperationalError(f"The database has not answered for {self.silent_seconds} s.") from None


def bound_silence(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Have a new connection wait for its server only so long, where the settings say how long (``server_urls``)."""
    if seconds := connection.settings_dict.get("SILENT_SECONDS"):
        made = connection.connection
        made.__class__ = Bounded
        made.silent_seconds = seconds


class Fresh:
    """Whether PostgreSQL takes a new connection and answers it. One thread of a process asks, others hear the same."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._began = float("-inf")
        self._problem: Exception | None = None

    def ask(self) -> None:
        """Ask, unless another thread has begun to since this one came.

        Raises:
            OperationalError: no connection is to be had in time.

        """
        came = clock.monotonic()
        with self._lock:
            if self._began <= came:
                self._began = clock.monotonic()
                try:
                    connect_once()
                except Error as problem:
                    self._problem = problem
                else:
                    self._problem = None
            if self._problem is not None:
                raise OperationalError(str(self._problem)) from self._problem


def connect_once() -> None:
    """Open a connection beside those that are held, ask it something, close it."""
    parameters = connection.get_connection_params()
    parameters["options"] = f"{parameters.get('options', '')} -c statement_timeout={PROBE_SECONDS * 1000}"
    parameters["connect_timeout"] = PROBE_SECONDS
    with connection.wrap_database_errors:
        made = psycopg.connect(**parameters, autocommit=True)
        try:
            made.execute("SELECT 1")
        finally:
            made.close()


fresh = Fresh()


def install() -> None:
    """Watch connections made, requests begun and ended. Django's own receivers close what is broken before."""
    connection_created.connect(end_with_the_thread, dispatch_uid="connections.created")
    connection_created.connect(bound_silence, dispatch_uid="connections.bounded")
    request_started.connect(trust_what_just_worked, dispatch_uid="connections.started")
    request_finished.connect(note_how_it_went, dispatch_uid="connections.finished")


def begin() -> None:
    """Begin a request that is none of Django's, as its signals do for the connection, at a tenth of their cost.

    What is broken or too old was closed as the thread's last request ended.
    """
    held = connections[DEFAULT_DB_ALIAS]
    if not held.in_atomic_block:
        held.health_check_done = False  # type: ignore[attr-defined]  # the stubs leave it out
    _trust(held)


def end() -> None:
    """End it."""
    held = connections[DEFAULT_DB_ALIAS]
    if held.errors_occurred or held.close_at is not None or not held.autocommit:
        held.close_if_unusable_or_obsolete()
    _note(held)


def trust_what_just_worked(**_: object) -> None:
    """Spare the question where the answer is known."""
    _trust(connections[DEFAULT_DB_ALIAS])


def note_how_it_went(**_: object) -> None:
    """Remember when this thread's connection worked, and when any failed."""
    _note(connections[DEFAULT_DB_ALIAS])


def _trust(held: BaseDatabaseWrapper) -> None:
    worked_at: float = getattr(_local, "worked_at", float("-inf"))
    if clock.monotonic() - worked_at < TRUSTED and worked_at > _failed_at:
        held.health_check_done = True  # type: ignore[attr-defined]  # the stubs leave it out


def _note(held: BaseDatabaseWrapper) -> None:
    global _failed_at  # noqa: PLW0603 - one a process
    if held.errors_occurred:
        _failed_at = clock.monotonic()
    elif held.connection is not None:
        _local.worked_at = clock.monotonic()
