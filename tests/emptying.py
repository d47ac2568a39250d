"""Empties the test database after a test that commits: of the tables that this process wrote to, by one statement.

Django's way makes every table, index and partition anew, and then what it knows of the models, over a new connection:
half a second a test. Not for a test's own use: it is what ``transactional_db`` does at its end.
"""

from __future__ import annotations

from collections import Counter

from django.db import connection
from psycopg import sql

from tests import statements

OF_THE_MODELS = frozenset({"auth_permission", "django_content_type"})
"""What each migration writes, and nothing else does."""
FREELY = "SET LOCAL session_replication_role = replica"
"""Foreign keys ask nothing: in the end nothing is left to point at."""
ROWS_AS_STATEMENTS = """
    SELECT format('INSERT INTO %%1$I SELECT * FROM jsonb_populate_record(NULL::%%1$I, %%2$L)', %s, to_jsonb(it))
    FROM {} AS it
"""

beginning: dict[str, list[str]] = {}
"""By table, the statements that write the rows of a migrated database again."""
_emptied: Counter[str] = Counter()
"""How many statements had written to each table when it was emptied last."""


def instead_of_flush() -> None:
    """Let ``TransactionTestCase`` end like this from now on, its connection kept for the next test."""
    from django.test import TransactionTestCase  # once Django is set up

    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]
    TransactionTestCase._should_reload_connections = keep_connections  # type: ignore[attr-defined]


def keep_connections(_: object) -> bool:
    """Say that no connection needs to be made anew: what a test does to its own, it undoes."""
    return False


def learn_beginning() -> None:
    """Learn what a migrated database has, before any test writes."""
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(sql.SQL(ROWS_AS_STATEMENTS).format(sql.Identifier(table)), [table])
            beginning[table] = [] if table in OF_THE_MODELS else [row[0] for row in cursor.fetchall()]


def empty(_: object) -> None:
    """Have each table that was written to begin again, in one transaction."""
    tables = [table for table in beginning.keys() - OF_THE_MODELS if statements.written[table] > _emptied[table]]
    _emptied.update(statements.written - _emptied)
    connection.close_if_unusable_or_obsolete()
    connection.ensure_connection()
    deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)).as_string() for table in tables]
    inserts = [statement for table in tables for statement in beginning[table]]
    connection.connection.execute("; ".join(["BEGIN", FREELY, *deletes, *inserts, "COMMIT"]))


def left() -> list[str]:
    """Return the tables that have other rows than a migrated database's: somebody wrote and was not seen."""
    names = beginning.keys() - OF_THE_MODELS
    counted = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, count(*) FROM {}").format(name, sql.Identifier(name)) for name in names
    )
    with connection.cursor() as cursor:
        cursor.execute(counted)
        return [table for table, count in cursor.fetchall() if count != len(beginning[table])]
