"""Signing keys as a process holds them, ready to use. When they are read anew is ``configuration``'s."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from identity.foundation import sealing
from pools.models import SigningKey, UserPool
from pools.services import sealing_contexts


@dataclass(frozen=True, slots=True)
class CachedKey:
    """A signing key, ready to use."""

    kid: str
    use: str
    alg: str
    private: RSAPrivateKey
    checks: RSAPublicKey
    head: bytes
    """Header of each token that it signs, encoded."""
    public: dict[str, Any]
    published_at: datetime
    active_from: datetime
    retire_at: datetime | None


def load_keys(pool: UserPool | None) -> tuple[CachedKey, ...]:
    """Read keys that are published or will be. They come from our own authenticated sealing: not validated again."""
    rows = SigningKey.objects.filter(pool_id=pool.pk if pool else None).order_by("-active_from", "-id")
    held = []
    for row in rows:
        plain = sealing.unseal(row.sealed_private, place=sealing_contexts.signing_key(row.kid))
        raw = load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(raw, RSAPrivateKey):
            raise sealing.Unsealable(detail=row.kid)
        head = json.dumps({"typ": "JWT", "alg": row.alg, "kid": row.kid}, separators=(",", ":")).encode()
        held.append(
            CachedKey(
                row.kid,
                row.use,
                row.alg,
                raw,
                raw.public_key(),
                base64.urlsafe_b64encode(head).rstrip(b"="),
                row.public,
                row.published_at,
                row.active_from,
                row.retire_at,
            )
        )
    return tuple(held)
