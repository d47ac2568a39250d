"""Walks with any input: what a refusal leaves alone, every row but those that count refusals."""

from __future__ import annotations

import os
from typing import Any

from django.apps import apps
from django.db import connection
from psycopg import sql

from tests import statements
from tests.walks import walk

anything = walk(100)
# What a refusal may leave: its own record, a guess that counts, a stolen refresh token's end.
COUNTED = {
    "attempt",
    "audit_event",
    "audit_personal",
    "auth_event",
    "guess",
    "one_time_code",
    "refresh_family",
    "spent",
}

_seen: dict[str, tuple[Any, ...]] = {}


def state(*labels: str) -> tuple[str, ...]:
    """Return a digest of each table of these apps, of ``pools`` where none is named, that a refusal leaves alone.

    The rows are read where a statement has written to such a table since they were: what this process sends is counted.
    """
    seen = (labels, os.environ["PYTEST_CURRENT_TEST"], statements.writes(but=COUNTED))
    if _seen.get("at") != seen:
        _seen["rows"], _seen["at"] = digest(*labels), seen
    return _seen["rows"]


def digest(*labels: str) -> tuple[str, ...]:
    """Return the same, read from the rows."""
    models = [model for label in labels or ("pools",) for model in apps.get_app_config(label).get_models()]
    tables = [model._meta.db_table for model in models if model._meta.db_table not in COUNTED]
    each = "SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')), {} FROM {} t"
    parts = [sql.SQL(each).format(number, sql.Identifier(table)) for number, table in enumerate(tables)]
    with connection.cursor() as cursor:
        # In order: PostgreSQL may read the tables by several processes, and tell the first to be done first.
        cursor.execute(sql.SQL(" UNION ALL ").join(parts) + sql.SQL(" ORDER BY 2"))
        return tuple(row[0] for row in cursor.fetchall())
