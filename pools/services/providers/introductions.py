"""The documents by which providers know a pool. What stands in one its kind says."""

from __future__ import annotations

from pools import ports
from pools.models import UserPool
from pools.services.providers import our_side


def of(pool: UserPool, kind: str) -> bytes:
    """Return the document by which providers of a kind know a pool; it names a key, made where there was none.

    Raises:
        PoolNotFound: the pool was deleted meanwhile.

    """
    return ports.provider_kinds[kind].introduce(our_side.of(pool, kind))
