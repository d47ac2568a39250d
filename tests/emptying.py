"""Empties the test database after a test that commits, by rows: most tables have none, and a table takes longer.

Django's way makes every table, index and partition anew, and then what it knows of the models: half a second a test.
Not for a test's own use: it is what ``transactional_db`` does at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from django.db.backends.postgresql.operations import DatabaseOperations

OF_THE_MODELS = frozenset({"auth_permission", "django_content_type"})
"""What each migration writes, and nothing else does."""
FREELY = "SET LOCAL session_replication_role = replica"
"""Foreign keys ask nothing: in the end nothing is left to point at."""


def instead_of_truncate() -> None:
    """Let Django's ``flush`` delete rows from now on, and make nothing anew that is still there."""
    from django.core.management.commands import flush
    from django.db.backends.postgresql.operations import DatabaseOperations  # once Django is set up

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]
    flush.emit_post_migrate_signal = make_keys  # type: ignore[attr-defined]


def make_keys(*_: object, **__: object) -> None:
    """Make what rows a migrated database begins with. The rest of that signal is what the models are, and grants.

    Those are four fifths of the time that emptying took, and nothing deletes them.
    """
    from pools.apps import ensure_keys

    ensure_keys()


def sql_flush(
    operations: DatabaseOperations,
    _style: object,
    tables: Sequence[str],
    *,
    reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:
    """Return the statements that empty the tables that have rows, for one transaction."""
    if reset_sequences or allow_cascade:
        raise NotImplementedError("Rows are deleted: sequences go on, and nothing cascades.")
    names = [sql.Identifier(table) for table in sorted({*tables} - OF_THE_MODELS)]
    with operations.connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(number, name)
                for number, name in enumerate(names)
            )
        )
        filled = [names[number] for (number,) in cursor.fetchall()]
    return [FREELY, *(sql.SQL("DELETE FROM {}").format(name).as_string() for name in filled)]
