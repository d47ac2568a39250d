"""Runs the constant statements of ``hot``: bound and prepared on the server, read in binary. Has no SQL of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections
from django.db.backends.utils import CursorWrapper
from psycopg.pq import Format

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Parameters = Sequence[Any] | dict[str, Any]
Read = TypeVar("Read")


def run(statement: str, parameters: Parameters, read: Callable[[CursorWrapper], Read]) -> Read:
    """Run a statement of this module once, and return what ``read`` takes from it.

    A migration beside us may change the type of a column: then PostgreSQL refuses what was prepared before (SQL state
    0A000) and has done nothing. Outside a transaction a new connection does it; inside one the request fails, and the
    transaction's end drops all that was prepared.
    """
    database = connections[DEFAULT_DB_ALIAS]
    try:
        return _run(database, statement, parameters, read)
    except NotSupportedError:
        if database.in_atomic_block:
            raise
    database.close()
    return _run(database, statement, parameters, read)


def _run(
    database: BaseDatabaseWrapper, statement: str, parameters: Parameters, read: Callable[[CursorWrapper], Read]
) -> Read:
    """Bind on the server and read binary rows: a third less work than literals and text.

    Each statement is prepared at its first use of a connection, where nothing between here and PostgreSQL forbids
    that: two thirds of PostgreSQL's work are plans. What Django sends itself is never prepared. Django's wrappers stay
    round the cursor: errors are Django's, and tests see each statement.
    """
    database.close_if_health_check_failed()  # as Django's own cursors begin
    database.ensure_connection()
    held = database.connection
    raw = psycopg.Cursor(held)
    raw.format = Format.BINARY
    is_logged = database.queries_logged
    wrap = database.make_debug_cursor if is_logged else database.make_cursor
    # Of a prepared statement psycopg keeps no text for a log to tell.
    held.prepare_threshold = 0 if settings.DATABASE_PREPARES and not is_logged else None
    try:
        with wrap(raw) as cursor:  # type: ignore[arg-type]  # the stubs know Django's own cursors only
            cursor.execute(statement, parameters)
            return read(cursor)
    finally:
        held.prepare_threshold = None


def one(statement: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
    """Return the first row of a statement of this module."""
    row: tuple[Any, ...] | None = run(statement, parameters, lambda opened: opened.fetchone())
    return row


def count(statement: str, parameters: Parameters) -> int:
    """Run a writing statement of this module; return how many rows it touched."""
    return run(statement, parameters, lambda opened: int(opened.rowcount))
