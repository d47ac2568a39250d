"""The certificate of a pool for SAML: made when it is first asked for, and then the same. Signs nothing itself."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization

from identity.foundation import gate, sealing
from identity.foundation.actor import Actor
from pools.models import SigningCertificate, UserPool
from pools.services import access, atomic_part, audit, sealing_contexts
from pools.services.audit import Tag
from pools.services.pools import signing_keys


def certificate(pool: UserPool, *, by: Actor) -> bytes:
    """Return a pool's certificate (X.509, DER).

    Raises:
        PoolNotFound: the pool was deleted meanwhile.

    """
    kept = SigningCertificate.objects.filter(pool_id=pool.pk)
    found = kept.first()
    return bytes(found.certificate if found else _make(pool, by=by).certificate)


def _make(pool: UserPool, *, by: Actor) -> SigningCertificate:
    gate.outside_transactions("Making a certificate")
    private = signing_keys.new_private_key()
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = SigningCertificate(pool=pool, certificate=signing_keys.certificate(private, pool.public_id))
    made.sealed_private = sealing.seal(der, place=sealing_contexts.certificate(made.id))
    with atomic_part.begin() as part:
        access.lock_pool(part, pool, changes_key=False)
        if (faster := SigningCertificate.objects.filter(pool_id=pool.pk).first()) is not None:
            return faster
        made.save(force_insert=True)
        audit.record(Tag.CERTIFICATE_MADE, pool=pool, subject=pool.public_id, by=by)
    return made
