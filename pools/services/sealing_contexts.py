"""Where each sealed value belongs: the associated data that ties it to its row (``identity.foundation.sealing``).

Whoever seals, unseals or re-wraps a column asks here, so that they cannot disagree.
"""

from __future__ import annotations

from uuid import UUID


def decoy_key(pool_id: str) -> str:
    """Return the place of a pool's permanent decoy key; by public id, which a copied pool keeps."""
    return f"user_pool:{pool_id}:decoy"


def client_secret(secret_id: UUID) -> str:
    """Return the place of a client secret told back to operators."""
    return f"client_secret:{secret_id}"


def provider_details(provider_id: UUID) -> str:
    """Return the place of what is secret of an identity provider's details."""
    return f"identity_provider:{provider_id}"


def verifier(pool_id: str, username: str) -> str:
    """Return the place of an SRP verifier: what it binds by its arithmetic anyway."""
    return f"password:{pool_id}:{username}"


def totp_seed(user_id: UUID) -> str:
    """Return the place of an authenticator's seed, proven or pending."""
    return f"totp_factor:{user_id}"


def signing_key(kid: str) -> str:
    """Return the place of a private signing key."""
    return f"signing_key:{kid}"


def certificate(certificate_id: UUID) -> str:
    """Return the place of the private key of a pool's certificate."""
    return f"signing_certificate:{certificate_id}"


def encryption_key(key_id: UUID) -> str:
    """Return the place of the private key for which providers encrypt."""
    return f"encryption_key:{key_id}"


def upstream_session(session_id: UUID) -> str:
    """Return the place of what is said to a provider to end a session there."""
    return f"upstream_session:{session_id}"


def message(outbox_id: UUID) -> str:
    """Return the place of a message that waits in the outbox."""
    return f"outbox:{outbox_id}"


def operator_seed(operator_id: int, key: str) -> str:
    """Return the place of the seed of an operator's authenticator."""
    return f"operator-totp:{operator_id}:{key}"


def access_key(access_key_id: str) -> str:
    """Return the place of an operator's access key secret."""
    return f"access_key:{access_key_id}:secret"


def user_import(chunk_id: UUID) -> str:
    """Return the place of a part of a file whose users are to be imported."""
    return f"user_import_chunk:{chunk_id}"
