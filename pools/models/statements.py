"""Runs the constant statements of ``hot``: bound and prepared on the server, read in binary. Has no SQL of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import NotSupportedError, connection
from django.db.backends.utils import CursorWrapper
from psycopg.pq import Format

Parameters = Sequence[Any] | dict[str, Any]
Read = TypeVar("Read")


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """Open a cursor that binds on the server and reads binary rows: a third less work than literals and text.

    It prepares each statement at its first use of a connection, where nothing between here and PostgreSQL forbids
    that: two thirds of PostgreSQL's work are plans. What Django sends itself is never prepared. Django's wrappers stay
    round it: errors are Django's, and tests see each statement.
    """
    connection.close_if_health_check_failed()  # as Django's own cursors begin
    connection.ensure_connection()
    held = connection.connection
    raw = psycopg.Cursor(held)
    raw.format = Format.BINARY
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    held.prepare_threshold = 0 if settings.DATABASE_PREPARES else None
    try:
        with wrap(raw) as wrapped:  # type: ignore[arg-type]  # the stubs know Django's own cursors only
            yield wrapped
    finally:
        held.prepare_threshold = None


def run(statement: str, parameters: Parameters, read: Callable[[CursorWrapper], Read]) -> Read:
    """Run a statement of this module once, and return what ``read`` takes from it.

    A migration beside us may change the type of a column: then PostgreSQL refuses what was prepared before (SQL state
    0A000) and has done nothing. Outside a transaction a new connection does it; inside one the request fails, and the
    transaction's end drops all that was prepared.
    """
    try:
        with cursor() as opened:
            opened.execute(statement, parameters)
            return read(opened)
    except NotSupportedError:
        if connection.in_atomic_block:
            raise
    connection.close()
    with cursor() as opened:
        opened.execute(statement, parameters)
        return read(opened)


def one(statement: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
    """Return the first row of a statement of this module."""
    row: tuple[Any, ...] | None = run(statement, parameters, lambda opened: opened.fetchone())
    return row


def count(statement: str, parameters: Parameters) -> int:
    """Run a writing statement of this module; return how many rows it touched."""
    return run(statement, parameters, lambda opened: int(opened.rowcount))
