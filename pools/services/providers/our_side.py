"""As whom a pool meets its identity providers, of which each kind has its own, and the applications that speak SAML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from identity.foundation import names
from pools.models import UserPool
from pools.ports import IssuingSide, KeyPair, OurSide
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


def issuing(pool: UserPool) -> IssuingSide:
    """Return the pool as applications of SAML know it.

    By the installation's address alone, as an issuer of tokens: a host name that a pool gets later changes none of it.
    """
    own = f"{names.issuer(pool.public_id)}/saml2/idp"
    return IssuingSide(f"{own}/metadata", f"{own}/sso", f"{own}/slo", PoolKeys(pool))
