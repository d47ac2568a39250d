"""What is taken once, though it would be good for longer: providers' proofs, and requests of applications."""

from __future__ import annotations

import hashlib
from datetime import datetime

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
    note(provider.pool_id, f"{provider.id}:{identity.once}", identity.once_until)


def note(pool_id: int, named: str, until: datetime) -> None:
    """Note that something was taken, by a name that nothing else in the pool has; it may come again until then.

    Raises:
        LoginRefused: it was taken before.

    """
    hashed = hashlib.sha256(named.encode()).digest()
    try:
        with transaction.atomic():
            UsedProof.objects.create(pool_id=pool_id, hashed=hashed, expires_at=until)
    except IntegrityError:
        raise LoginRefused(detail="proof: taken before") from None
