"""Keys of a pool with identity providers: the one it signs by, and those for which they encrypt. Signs nothing itself.

Each is made when it is first needed. The first stays, as its certificate is registered elsewhere by hand; of the others
the newest is told to providers, and the one before it still opens what comes by those who have not read of it.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db.models import Max

from identity.foundation import clock, gate, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import PoolNotFound
from pools.models import EncryptionKey, SigningCertificate, UserPool, deletion
from pools.ports import KeyPair
from pools.services import access, atomic_part, audit, sealing_contexts
from pools.services.audit import Tag
from pools.services.pools import signing_keys

ROLLED_AFTER = timedelta(days=365)
LIVE = 2
"""How many keys a pool has for which providers encrypt."""


def certificate(pool: UserPool, *, by: Actor) -> bytes:
    """Return a pool's certificate (X.509, DER).

    Raises:
        PoolNotFound: the pool was deleted meanwhile.

    """
    return bytes(_signing(pool, by=by).certificate)


def signing(pool: UserPool) -> KeyPair:
    """Return the key that a pool signs by. Raises as :func:`certificate`."""
    row = _signing(pool, by=Actor.system())
    private = sealing.unseal(bytes(row.sealed_private), place=sealing_contexts.certificate(row.id))
    return KeyPair(bytes(row.certificate), private)


def decryption(pool: UserPool) -> list[KeyPair]:
    """Return the keys for which providers may encrypt, the newest first. Raises as :func:`certificate`."""
    rows = list(_newest(pool)) or [roll(pool, by=Actor.system(), again=False)]
    return [
        KeyPair(
            bytes(row.certificate),
            sealing.unseal(bytes(row.sealed_private), place=sealing_contexts.encryption_key(row.id)),
        )
        for row in rows
    ]


def roll(pool: UserPool, *, by: Actor, again: bool = True) -> EncryptionKey:
    """Make a new key for which providers encrypt, and forget all but the one before it.

    Without ``again`` one that was made meanwhile stays the newest.

    Raises:
        PoolNotFound: the pool was deleted meanwhile.

    """
    private = _new_key()
    made = EncryptionKey(pool=pool, certificate=signing_keys.certificate(private, pool.public_id))
    made.sealed_private = sealing.seal(_der(private), place=sealing_contexts.encryption_key(made.id))
    with atomic_part.begin() as part:
        access.lock_pool(part, pool, changes_key=False)
        before = list(_newest(pool))
        if before and not again:
            return before[0]
        made.save(force_insert=True)
        kept = [made.id, *(row.id for row in before[: LIVE - 1])]
        deletion.delete(EncryptionKey.objects.filter(pool_id=pool.pk).exclude(id__in=kept))
        audit.record(Tag.ENCRYPTION_KEY_MADE, pool=pool, subject=pool.public_id, by=by)
    return made


def roll_due(*, by: Actor, limit: int = 20) -> int:
    """Roll the keys of pools whose newest is a year old; return of how many."""
    newest = EncryptionKey.objects.filter(pool__deleted_at=None).values("pool_id").annotate(newest=Max("created_at"))
    due = newest.filter(newest__lt=clock.now() - ROLLED_AFTER).values_list("pool_id", flat=True)[:limit]
    return sum(_roll_due(pool_id, by=by) for pool_id in list(due))


def _roll_due(pool_id: int, *, by: Actor) -> bool:
    pool = UserPool.objects.filter(pk=pool_id).first()
    if pool is None:
        return False
    try:
        roll(pool, by=by)
    except PoolNotFound:  # deleted meanwhile
        return False
    return True


def _newest(pool: UserPool) -> list[EncryptionKey]:
    return list(EncryptionKey.objects.filter(pool_id=pool.pk).order_by("-id")[:LIVE])


def _signing(pool: UserPool, *, by: Actor) -> SigningCertificate:
    found = SigningCertificate.objects.filter(pool_id=pool.pk).first()
    return found or _make(pool, by=by)


def _make(pool: UserPool, *, by: Actor) -> SigningCertificate:
    private = _new_key()
    made = SigningCertificate(pool=pool, certificate=signing_keys.certificate(private, pool.public_id))
    made.sealed_private = sealing.seal(_der(private), place=sealing_contexts.certificate(made.id))
    with atomic_part.begin() as part:
        access.lock_pool(part, pool, changes_key=False)
        if (faster := SigningCertificate.objects.filter(pool_id=pool.pk).first()) is not None:
            return faster
        made.save(force_insert=True)
        audit.record(Tag.CERTIFICATE_MADE, pool=pool, subject=pool.public_id, by=by)
    return made


def _new_key() -> rsa.RSAPrivateKey:
    gate.outside_transactions("Making a certificate")
    return signing_keys.new_private_key()


def _der(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
