"""Proofs of providers that are taken once, though they would be good for longer. What proves, the kind says."""

from __future__ import annotations

import hashlib

from django.db import IntegrityError, transaction

from identity.foundation.errors import LoginRefused
from pools.models import IdentityProvider, UsedProof
from pools.ports import ExternalIdentity


def take(provider: IdentityProvider, identity: ExternalIdentity) -> None:
    """Note that a provider's word was taken.

    Raises:
        LoginRefused: it was taken before.

    """
    if not identity.once or identity.once_until is None:
        return
    named = hashlib.sha256(f"{provider.id}:{identity.once}".encode()).digest()
    try:
        with transaction.atomic():
            UsedProof.objects.create(pool_id=provider.pool_id, hashed=named, expires_at=identity.once_until)
    except IntegrityError:
        raise LoginRefused(detail="proof: taken before") from None
