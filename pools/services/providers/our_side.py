"""As whom a pool meets its identity providers: its names, its addresses and its keys there. Each kind has its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pools.models import UserPool
from pools.ports import KeyPair, OurSide
from pools.services.pools import certificates, pool_domains
from pools.services.providers import provider_rules

ENTITY_ID = "urn:amazon:cognito:sp:"
"""What a pool is called by SAML. AWS: Adding SAML identity providers to a user pool."""


@dataclass(frozen=True, slots=True)
class PoolKeys:
    """A pool's keys, read when they are needed: most kinds need none."""

    pool: UserPool

    def signing(self) -> KeyPair:
        """Return the key that it signs by."""
        return certificates.signing(self.pool)

    def decryption(self) -> Sequence[KeyPair]:
        """Return the keys for which providers encrypt, the newest first."""
        return certificates.decryption(self.pool)


def address(pool: UserPool, path: str) -> str:
    """Return an address of a pool as its providers know it."""
    return f"{pool_domains.address(pool)}/{path}"


def of(pool: UserPool, kind: str, *, callback: str = "") -> OurSide:
    """Return the pool as providers of a kind know it; ``callback`` is where a trip that is under way comes back to."""
    about, entity_id = provider_rules.about(kind), f"{ENTITY_ID}{pool.public_id}"
    if about is None:
        return OurSide(entity_id, callback, "", PoolKeys(pool))
    own, signed_out = callback or address(pool, about.callback), address(pool, about.signed_out)
    return OurSide(entity_id, own, signed_out, PoolKeys(pool))
