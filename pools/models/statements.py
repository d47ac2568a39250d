"""Runs the constant statements of ``hot`` and its like, prepared on the server, read in binary. Has no SQL of its own.

Outside a transaction libpq is asked by itself: psycopg's cursor and Django's around it cost twice what the statement
does. What they promise holds: errors are Django's, wrappers see each statement, a silent server is given up.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from psycopg.abc import Transformer as Bound
    from psycopg.pq.abc import PGconn, PGresult

Parameters = Sequence[Any] | dict[str, Any]

PLACE = re.compile(r"%(?:\((\w+)\))?s")
DONE = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})
STALE = frozenset({b"0A000", b"26000"})
"""SQL states of a prepared statement that PostgreSQL no longer runs: a migration beside us changed the type of a
column that it returns, or what was prepared is gone, as psycopg drops all after a rollback. Nothing was done."""
_numbers = itertools.count()


class Done(NamedTuple):
    """What a statement gave: its rows, and how many it touched."""

    rows: list[tuple[Any, ...]]
    touched: int


class Numbered(NamedTuple):
    """A statement as the server takes it, with ``$1`` and on for its parameters, and their names in that order."""

    text: bytes
    names: tuple[str, ...]
    """Empty where parameters come in order."""
    formats: list[PyFormat]


@cache
def numbered(statement: str) -> Numbered:
    """Return a constant statement as the server takes it. A name that stands twice is one parameter."""
    keys = list(dict.fromkeys(name or place for place, name in enumerate(PLACE.findall(statement))))
    places = itertools.count()
    text = PLACE.sub(lambda found: f"${keys.index(found[1] or next(places)) + 1}", statement)
    return Numbered(text.encode(), tuple(key for key in keys if isinstance(key, str)), [PyFormat.AUTO] * len(keys))


def run(statement: str, parameters: Parameters) -> Done:
    """Run a statement of ``hot`` once."""
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()  # as Django's own cursors begin
    database.ensure_connection()
    if database.queries_logged or not database.autocommit:
        return _by_cursor(database, statement, parameters)
    ask: Callable[..., Done] = _directly
    for wrapper in reversed(database.execute_wrappers):
        ask = partial(wrapper, ask)
    return ask(statement, parameters, False, {"connection": database, "cursor": None})  # noqa: FBT003 - as Django calls it


def _by_cursor(database: BaseDatabaseWrapper, statement: str, parameters: Parameters) -> Done:
    """Run a statement by a cursor of Django's, which begins the transaction that is open, or tells a test of it.

    Inside a transaction a stale statement fails the request, and the transaction's end drops all that was prepared.
    """
    held = database.connection
    raw = psycopg.Cursor(held)
    raw.format = Format.BINARY
    is_logged = database.queries_logged
    wrap = database.make_debug_cursor if is_logged else database.make_cursor
    # Of a prepared statement psycopg keeps no text for a log to tell. What Django sends itself is never prepared.
    held.prepare_threshold = 0 if settings.DATABASE_PREPARES and not is_logged else None
    try:
        with wrap(raw) as cursor:  # type: ignore[arg-type]  # the stubs know Django's own cursors only
            cursor.execute(statement, parameters)
            return Done(cursor.fetchall() if cursor.description else [], cursor.rowcount)
    finally:
        held.prepare_threshold = None


def _directly(statement: str, parameters: Parameters, many: bool, context: dict[str, Any]) -> Done:  # noqa: FBT001 - as Django calls it
    """Run a statement outside a transaction, by libpq; one that is stale is prepared again."""
    del many
    held = context["connection"].connection
    text, names, formats = numbered(statement)
    given = [parameters[name] for name in names] if isinstance(parameters, dict) else parameters
    bound = _transformer(held, text)
    values = bound.dump_sequence(given, formats)
    with context["connection"].wrap_database_errors:
        result = _answer(held, text, bound, values)
        if result.status not in DONE and result.error_field(DiagnosticField.SQLSTATE) in STALE:
            _prepared(held).clear()
            result = _answer(held, text, bound, values)
        if result.status not in DONE:
            raise error_from_result(result)
    rows: list[tuple[Any, ...]] = []
    if result.ntuples:
        bound.set_pgresult(result)
        rows = bound.load_rows(0, result.ntuples, tuple)
        bound.set_pgresult(None)
    return Done(rows, result.command_tuples or 0)


def _answer(held: psycopg.Connection[Any], text: bytes, bound: Bound, values: Sequence[Any]) -> PGresult:
    """Return the server's answer to a statement, prepared at its first use of a connection with such parameters.

    Two thirds of PostgreSQL's work are plans. Nothing is prepared where something on the way forbids it.
    """
    pgconn: PGconn = held.pgconn
    types = bound.types or ()
    if settings.DATABASE_PREPARES:
        prepared = _prepared(held)
        name = prepared.get((text, types))
        if name is None:
            name = b"hot_%d" % next(_numbers)
            pgconn.send_prepare(name, text, types)
            made: PGresult = held.wait(generators.execute(pgconn))[-1]
            if made.status not in DONE:
                return made
            prepared[text, types] = name
        pgconn.send_query_prepared(name, values, bound.formats, Format.BINARY)
    else:
        pgconn.send_query_params(text, values, types, bound.formats, Format.BINARY)
    answer: PGresult = held.wait(generators.execute(pgconn))[-1]
    return answer


def _transformer(held: psycopg.Connection[Any], text: bytes) -> Bound:
    """Return what turns a statement's values and rows into the server's and back: it knows them from the last time."""
    kept: dict[bytes, Bound] = held.__dict__.setdefault("hot_transformers", {})
    found = kept.get(text)
    if found is None:
        found = kept[text] = Transformer(held)
    return found


def _prepared(held: psycopg.Connection[Any]) -> dict[tuple[bytes, tuple[int, ...]], bytes]:
    """Return the names of what a connection has prepared here, by text and types of parameters: they end with it."""
    found: dict[tuple[bytes, tuple[int, ...]], bytes] = held.__dict__.setdefault("hot_statements", {})
    return found


def one(statement: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
    """Return the first row of a statement of ``hot``."""
    rows = run(statement, parameters).rows
    return rows[0] if rows else None


def every(statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a statement of ``hot``."""
    return run(statement, parameters).rows


def execute(statement: str, parameters: Parameters) -> int:
    """Run a writing statement of ``hot``; return how many rows it touched."""
    return run(statement, parameters).touched
