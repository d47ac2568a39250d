"""Keys that sign tokens: two RSA keys a pool (ID, access), one for the identity pools' issuer.

Which key signs and the order of the JWKS are functions of the clock, so that every process switches together: the
newest key whose ``active_from`` has come signs and stands first. Keys are made ahead, sealed, never in a transaction.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.db import transaction
from django.db.models import Q
from joserfc.jwk import RSAKey

from identity.foundation import clock, gate, names, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, PoolNotFound
from pools.models import SigningKey, UserPool, locks
from pools.services import access, atomic_part, audit, configuration, sealing_contexts
from pools.services.audit import Tag
from pools.services.cached_keys import CachedKey

Use = SigningKey.Use
POOL_USES = (Use.ID, Use.ACCESS)
PUBLISH_LEAD = timedelta(hours=1)
"""How long a planned key is published before it signs: others cache our JWKS."""
FORCED_DELAY = timedelta(seconds=3)
"""How long a forced one waits: every process has polled by then."""
ROTATION_PERIOD = timedelta(days=90)
PUBLISHED_AFTER = timedelta(days=1, minutes=10)
"""How long a key is published after it stopped signing: no ID or access token lives longer than a day."""
CERTIFICATE_LIFE = timedelta(days=3650)
INSTALLATION_LOCK = b"Cognate:"
PADDING, DIGEST = padding.PKCS1v15(), hashes.SHA256()
"""RS256 (RFC 7518 section 3.3)."""
URL_SAFE = bytes.maketrans(b"+/", b"-_")
AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class NoKey(DomainError):
    """A pool without a key that signs: it was never finished."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A key that was made and not stored yet."""

    use: str
    kid: str
    public: dict[str, Any]
    sealed: bytes


def prepare(uses: Iterable[SigningKey.Use] = POOL_USES) -> list[Prepared]:
    """Make keys. Takes some 60 ms each, so never inside a transaction."""
    gate.outside_transactions("Making a signing key")
    return [_prepare(use) for use in uses]


def new_private_key() -> rsa.RSAPrivateKey:
    """Make a private key: RS256's, as Cognito's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _prepare(use: SigningKey.Use) -> Prepared:
    private = new_private_key()
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = {name: str(value) for name, value in RSAKey(private, private).as_dict(private=False).items()}
    digest = hashlib.sha256(json.dumps([public["e"], public["n"]]).encode()).digest()
    kid = base64.b64encode(digest[:32]).decode()
    document: dict[str, Any] = {
        "alg": str(SigningKey.Algorithm.RS256),
        "e": public["e"],
        "kid": kid,
        "kty": "RSA",
        "n": public["n"],
    }
    document["use"] = "sig"
    if use == Use.IDENTITY:
        # Ceph reads keys only from ``x5c``.
        shown = certificate(private, "identity pools")
        document["x5c"] = [base64.b64encode(shown).decode()]
        document["x5t"] = base64.urlsafe_b64encode(hashlib.sha1(shown).digest()).decode().rstrip("=")  # noqa: S324
    return Prepared(use, kid, document, sealing.seal(der, place=sealing_contexts.signing_key(kid)))


def certificate(private: rsa.RSAPrivateKey, whose: str) -> bytes:
    """Return a long-lived self-signed certificate of a key (DER)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, whose)])
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .sign(private, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def store(
    pool: UserPool | None, prepared: Iterable[Prepared], *, active_from: datetime | None = None
) -> list[SigningKey]:
    """Write keys inside the caller's transaction; without ``active_from`` they sign at once."""
    now = clock.now()
    rows = [
        SigningKey(
            pool=pool,
            use=key.use,
            alg=key.public["alg"],
            kid=key.kid,
            public=key.public,
            sealed_private=key.sealed,
            published_at=now,
            active_from=active_from or now,
        )
        for key in prepared
    ]
    SigningKey.objects.bulk_create(rows)
    return rows


def ensure_installation_keys() -> bool:
    """Make the identity pools' key where there is none; say whether one was made. Safe to run in parallel."""
    if SigningKey.objects.filter(pool=None, use=Use.IDENTITY).exists():
        return False
    made = prepare([Use.IDENTITY])
    with transaction.atomic(durable=True):
        _installation_lock()
        if SigningKey.objects.filter(pool=None, use=Use.IDENTITY).exists():
            return False
        store(None, made)
        transaction.on_commit(configuration.cache.forget_installation_keys)
    return True


def _installation_lock() -> None:
    locks.hold(INSTALLATION_LOCK)


def rotate(pool: UserPool | None, *, by: Actor, at_once: bool = True) -> list[str]:
    """Publish new keys for a pool (None: the identity pools' issuer) and plan the switch; return their key ids.

    ``at_once`` switches after three seconds, when every process has seen them; otherwise after an hour.
    The old keys stay published until what they signed is dead.

    Raises:
        PoolNotFound: the pool was deleted meanwhile.

    """
    made = prepare(POOL_USES if pool else [Use.IDENTITY])
    now = clock.now()
    active_from = now + (FORCED_DELAY if at_once else PUBLISH_LEAD)
    with atomic_part.begin() as part:
        if pool is None:
            locks.hold(INSTALLATION_LOCK)
        else:
            access.lock_pool(part, pool, changes_key=False)
        # A planned key that never signed is superseded for good: it must not come back when its hour comes.
        SigningKey.objects.filter(pool=pool, active_from__gt=now).delete()
        SigningKey.objects.filter(pool=pool, retire_at=None).update(retire_at=active_from + PUBLISHED_AFTER)
        store(pool, made, active_from=active_from)
        for key in made:
            detail = {"kid": key.kid, "use": str(key.use), "active_from": active_from.isoformat()}
            audit.record(Tag.KEY_ROTATED, pool=pool, subject=key.kid, by=by, detail=detail)
        if pool is not None:
            configuration.touch(pool)
        else:
            transaction.on_commit(configuration.cache.forget_installation_keys)
    return [key.kid for key in made]


def rotate_due(*, by: Actor, limit: int = 20) -> int:
    """Rotate keys that have signed for ninety days, an hour ahead; drop those retired. Return how many pools."""
    now = clock.now()
    SigningKey.objects.filter(retire_at__lt=now).delete()
    due = (
        SigningKey.objects.filter(retire_at=None, active_from__lt=now - ROTATION_PERIOD)
        .filter(Q(pool=None) | Q(pool__deleted_at=None))
        .values_list("pool_id", flat=True)
        .distinct()[:limit]
    )
    return sum(_rotate_due(pool_id, by=by) for pool_id in list(due))


def _rotate_due(pool_id: int | None, *, by: Actor) -> bool:
    """Rotate the keys of one pool, or of the installation; False where the pool was deleted, or purged, meanwhile."""
    pool = UserPool.objects.filter(pk=pool_id).first() if pool_id is not None else None
    if pool_id is not None and pool is None:
        return False
    try:
        rotate(pool, by=by, at_once=False)
    except PoolNotFound:
        return False
    return True


def published(pool: UserPool | None) -> list[CachedKey]:
    """Return the keys to publish now, the one that signs first."""
    now = clock.now()
    keys = [key for key in configuration.cache.keys(pool) if _is_published(key, now)]
    active = [key for key in keys if key.active_from <= now]
    return active + [key for key in keys if key.active_from > now]


def _is_published(key: CachedKey, now: datetime) -> bool:
    return key.published_at <= now and (key.retire_at is None or key.retire_at > now)


def jwks(pool: UserPool) -> bytes:
    """Return the pool's key set (RFC 7517), ready to send."""
    return _document(tuple(json.dumps(key.public) for key in published(pool)))


def identity_jwks() -> bytes:
    """Return the identity pools' key set, each key with ``x5c``, the signing one first."""
    return _document(tuple(json.dumps(key.public) for key in published(None)))


@lru_cache(maxsize=4096)
def _document(keys: tuple[str, ...]) -> bytes:
    return json.dumps({"keys": [json.loads(key) for key in keys]}, separators=(",", ":")).encode()


def sign(pool: UserPool | None, use: SigningKey.Use, claims: dict[str, Any]) -> str:
    """Sign claims by the key that signs now (RFC 7515 section 7.1). Never inside a transaction."""
    gate.outside_transactions("A signature")
    now = clock.now()
    for key in configuration.cache.keys(pool):
        if key.use == use and key.active_from <= now and (key.retire_at is None or key.retire_at > now):
            payload = AS_JSON.encode(claims).encode()
            covered = key.head + b"." + _encoded(payload)
            return (covered + b"." + _encoded(key.private.sign(covered, PADDING, DIGEST))).decode()
    raise NoKey(detail=f"{pool} {use}")


class Unverified(NamedTuple):
    """A token as it was sent: nothing of it may be believed yet."""

    header: Mapping[str, Any]
    claims: dict[str, Any]
    covered: bytes
    signature: str


SHORT = 256
"""Characters of a header that is remembered: ours have fewer."""
NO_TOKEN = Unverified({}, {}, b"", "")


def read(token: str) -> Unverified:
    """Read a compact JWS, once for all who look at it; without header and claims where it is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 20_000 or not token.isascii():  # noqa: PLR2004 - header, payload, signature
        return NO_TOKEN
    covered = token[: -len(parts[2]) - 1].encode()
    header = _header(parts[0]) if len(parts[0]) <= SHORT else _object(parts[0])
    return Unverified(header, _object(parts[1]), covered, parts[2])


@lru_cache(maxsize=1024)
def _header(part: str) -> Mapping[str, Any]:
    """Return a header, which all tokens of a key share: read once, and changed by nobody."""
    return MappingProxyType(_object(part))


def verify(pool: UserPool | None, use: SigningKey.Use, token: str) -> dict[str, Any] | None:
    """Return the claims of a token that a published key of this pool and use signed by its algorithm; None otherwise.

    Says nothing about times, issuer or purpose.
    """
    return check(pool, use, read(token))


def check(pool: UserPool | None, use: SigningKey.Use, token: Unverified) -> dict[str, Any] | None:
    """Return the claims of a token that was read, as :func:`verify`."""
    head, now = token.header, clock.now()
    # RFC 7515 section 4.1.11: what a header calls critical, and nobody here understands, makes it invalid.
    if "crit" in head or not token.claims:
        return None
    named = (head.get("kid"), head.get("alg"))
    for key in configuration.cache.keys(pool):
        if (key.kid, key.alg) == named and key.use == use and _is_published(key, now):
            try:
                signature = base64.urlsafe_b64decode(token.signature + "=" * (-len(token.signature) % 4))
                if _encoded(signature) != token.signature.encode():
                    return None  # of one signature there is one spelling
                key.checks.verify(signature, token.covered, PADDING, DIGEST)
            except (InvalidSignature, ValueError):
                return None
            return token.claims
    return None


def unverified_header(token: str) -> Mapping[str, Any]:
    """Return a token's header, empty when it has none. Only to find which key to check by."""
    return read(token).header


def unverified_claims(token: str) -> dict[str, Any]:
    """Return a token's claims, empty when it has none. Only to find which issuer to ask."""
    return read(token).claims


def _encoded(plain: bytes) -> bytes:
    return binascii.b2a_base64(plain, newline=False).translate(URL_SAFE, b"=")


def _object(part: str) -> dict[str, Any]:
    """Return the JSON object that a part of a token encodes, empty where it is none."""
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode())
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def issuer_pool(claims: dict[str, Any]) -> str:
    """Return the public id of the pool that unverified claims say issued them, empty for a foreign issuer."""
    issuer = str(claims.get("iss", ""))
    prefix = names.issuer("")
    return issuer.removeprefix(prefix) if issuer.startswith(prefix) else ""
