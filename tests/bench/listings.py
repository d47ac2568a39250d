"""Pools of ten thousand and of a million users, and what lists of them are asked for.

Rows come by one statement, and no services: what lists read and nothing else. They go when the bench is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from pools.models import UserPool

SIZES = (10_000, 1_000_000)
ASKED = {
    "page": {},
    "prefix": {"Filter": 'email ^= "user7"'},
    "filter": {"Filter": 'email = "user77@example.com"'},
    "status": {"Filter": 'cognito:user_status = "CONFIRMED"'},
}
"""By what a row is called: a page of sixty."""
MOST = 2000
"""Microseconds, of the web process and of PostgreSQL each."""
FILL = """
INSERT INTO pool_user (id, pool_id, sub, username, email, email_verified, phone_number, name, given_name, family_name,
    preferred_username, status)
SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7'
        || lpad(to_hex(%(pool)s %% 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
    %(pool)s, gen_random_uuid(), 'user' || n, 'user' || n || '@example.com', true, '+49' || n, 'Ada ' || n %% 1000,
    'Ada', 'Family' || n %% 50000, 'called' || n, 'CONFIRMED'
FROM generate_series(1, %(count)s) n
"""
EMPTY = "DELETE FROM pool_user WHERE pool_id = ANY(%s)"


def name_of(what: str, size: int) -> str:
    """Return what a row is called."""
    return f"ListUsers, {what} of {size:,} users"


def wanted(chosen: Sequence[str]) -> list[int]:
    """Return the sizes to measure: a million only where everything is, or that is asked for."""
    if not chosen:
        return list(SIZES)
    words = [word.lower() for word in chosen]
    fitting = [size for size in SIZES if any(word in name_of(what, size).lower() for word in words for what in ASKED)]
    return [size for size in fitting if size == SIZES[0] or any(f"{size:,}" in word for word in words)]


def make(size: int) -> UserPool:
    """Make a pool of so many users."""
    from tests import factories

    pool = factories.make_pool()
    with patient() as database:
        database.execute(FILL, {"pool": pool.pk, "count": size})
        database.execute("VACUUM ANALYZE pool_user")
    return pool


def empty(pools: Sequence[UserPool]) -> None:
    """Remove their users, and give the room back: a million rows and their indexes take two gigabytes."""
    with patient() as database:
        database.execute(EMPTY, [[pool.pk for pool in pools]])
        database.execute("VACUUM FULL pool_user")


def patient() -> psycopg.Connection[Any]:
    """Return a connection without the product's limits: some of this takes longer than a request may."""
    from django.db import connection

    given = {**connection.get_connection_params(), "options": "-c statement_timeout=0"}
    return psycopg.Connection.connect(**given, autocommit=True)
