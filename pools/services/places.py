"""Where each sealed value belongs: the associated data that ties it to its row (``identity.foundation.sealing``).

Whoever seals, unseals or re-wraps a column asks here, so that they cannot disagree.
"""

from __future__ import annotations

from uuid import UUID


def decoy_key(pool_id: str) -> str:
    """Return the place of a pool's permanent decoy key; by public id, which a copied pool keeps."""
    return f"user_pool:{pool_id}:decoy_key"


def client_secret(secret_id: UUID) -> str:
    """Return the place of a client secret told back to operators."""
    return f"client_secret:{secret_id}:sealed"


def verifier(pool_id: str, username: str) -> str:
    """Return the place of an SRP verifier: what it binds by its arithmetic anyway."""
    return f"password:{pool_id}:{username}:verifier"


def totp_seed(user_id: UUID) -> str:
    """Return the place of an authenticator's seed, proven or pending."""
    return f"totp_factor:{user_id}:seed"


def signing_key(kid: str) -> str:
    """Return the place of a private signing key."""
    return f"signing_key:{kid}:private"


def message(outbox_id: UUID) -> str:
    """Return the place of a message that waits in the outbox."""
    return f"outbox:{outbox_id}:sealed"


CLIENT_SECRET_HASH = "client_secret"  # noqa: S105 - the purpose of a keyed hash, not a secret
"""Purpose of the keyed hash beside a sealed client secret; the hashed value is ``client_id:secret``."""


def hashed_secret(client_id: str, secret: str) -> str:
    """Return what is hashed for a client secret: bound to its client."""
    return f"{client_id}:{secret}"
