"""Advisory locks that end with their transaction, which the ORM has no words for.

PgBouncer-safe: no lock of a session. Statements are constants.
"""

from __future__ import annotations

from pools.models.statements import one

HOLD = "SELECT pg_advisory_xact_lock(%s::bigint)"
TRY = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def hold(key: bytes) -> None:
    """Wait for the lock that a key's first eight bytes name, until the transaction ends."""
    one(HOLD, (int.from_bytes(key[:8], "big", signed=True),))


def try_hold(name: str) -> bool:
    """Take a named lock until the transaction ends, unless another holds it."""
    row = one(TRY, (name,))
    return bool(row and row[0])
