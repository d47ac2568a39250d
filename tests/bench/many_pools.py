"""How many statements each operation needs where there are ten pools, and where there are ten thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FEW, MANY = 10, 10_000
# Changed long ago: no process asks for their configuration anew.
FILL = """
INSERT INTO user_pool (public_id, name, sealed_decoy_key, changed_at)
SELECT 'us-east-1_' || left(md5(%(count)s || '-' || n), 9), 'one of many', '\\x00', now() - interval '1 day'
FROM generate_series(1, %(count)s - (SELECT count(*) FROM user_pool)) n
"""
EMPTY = "DELETE FROM user_pool WHERE name = 'one of many'"
# Nothing hangs on them: to look for that in every table, pool by pool, takes longer than the rest.
UNCHECKED, CHECKED = "SET session_replication_role = replica", "RESET session_replication_role"


def differing(
    operations: dict[str, list[list[Any]]], count: Callable[[list[list[Any]]], int]
) -> dict[str, tuple[int, int]]:
    """Return the operations that need another number of statements among many pools than among few, with both.

    Of each there are four requests: two to measure, each after one of its kind.
    """
    from django.db import connection

    from pools.services import configuration

    polled, found = configuration.POLL, {}
    configuration.POLL = 50.0  # which would ask at any moment
    try:
        with connection.cursor() as cursor:
            cursor.execute(UNCHECKED)
            cursor.execute(EMPTY)  # of a run that was broken off
            cursor.execute(CHECKED)
            cursor.execute(FILL, {"count": FEW})
            few = {name: count(requests[:2]) for name, requests in operations.items()}
            cursor.execute(FILL, {"count": MANY})
            cursor.execute("ANALYZE user_pool")
            many = {name: count(requests[2:]) for name, requests in operations.items()}
            cursor.execute(UNCHECKED)
            cursor.execute(EMPTY)
            cursor.execute(CHECKED)
        found = {name: (few[name], many[name]) for name in operations if few[name] != many[name]}
    finally:
        configuration.POLL = polled
    return found
