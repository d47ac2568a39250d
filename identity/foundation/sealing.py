"""Encryption at rest of stored secrets, and keyed hashes of what is only compared.

Envelope encryption: each sealed value has a data key of its own, wrapped by a master key that is named in
the value. Rotating the master key re-wraps the data key and leaves the body alone; a KMS can take the
master key's place by answering :func:`wrap` and :func:`unwrap`. Associated data binds a value to its place,
so that a row's secret cannot be moved into another row.

Keys come from ``SECRET_KEYS_FILE``, newest first, a line each: ``id base64-of-32-bytes``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from identity.foundation.errors import DomainError

FORMAT = b"\x01"
SALT = 24
WRAPPED = SALT + 32 + 16
KEY_SIZE = 32
UNMARKED = 24
Stored = bytes | memoryview
"""A binary column's value, as Django gives it."""
# Each derived key encrypts one message, so the nonce may be constant (the construction of XAES-256-GCM).
NONCE = bytes(12)


class Unsealable(DomainError):
    """A sealed value was changed, moved, or sealed by a key that is gone."""


class KeyUnknown(Unsealable):
    """Sealed by a master key that this process does not have: gone, or written after it started."""


class MasterKey(NamedTuple):
    """A master key and its name."""

    id: str
    secret: bytes


@lru_cache(maxsize=1)
def master_keys() -> tuple[MasterKey, ...]:
    """Return the master keys, newest first. Read once a process: a rotation restarts the processes."""
    try:
        text = settings.SECRET_KEYS_FILE.read_text()
    except OSError as problem:
        raise ImproperlyConfigured(f"SECRET_KEYS_FILE cannot be read: {problem}") from None
    return keys_of(text)


def keys_of(text: str) -> tuple[MasterKey, ...]:
    """Return the keys of such a file. Raises ImproperlyConfigured for what is none."""
    found: list[MasterKey] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, encoded = line.strip().partition(" ")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            secret = b""
        if len(secret) != KEY_SIZE or not name or len(name) > 255:  # noqa: PLR2004 - one length byte
            raise ImproperlyConfigured("SECRET_KEYS_FILE: each line is `id base64-of-32-bytes`.")
        found.append(MasterKey(name, secret))
    if not found:
        raise ImproperlyConfigured("SECRET_KEYS_FILE holds no key.")
    return tuple(found)


def new_development_key_line(name: str) -> str:
    """Return a line for ``SECRET_KEYS_FILE`` with a new key, marked as one for development wherever it goes.

    The mark follows from the random part: without it the key is another one. 192 random bits are left.
    """
    part = os.urandom(UNMARKED)
    return f"{name} {base64.b64encode(part + mark(part)).decode()}"


def is_for_development(key: MasterKey) -> bool:
    """Say whether a key is marked so. Of random ones, one in 2^64 would be."""
    return hmac.compare_digest(key.secret[UNMARKED:], mark(key.secret[:UNMARKED]))


def mark(part: bytes) -> bytes:
    """Return what follows the random part of a key for development."""
    return derive(part, "development")[: KEY_SIZE - UNMARKED]


def derive(secret: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """Return a key for one purpose."""
    return hmac.digest(secret, purpose.encode() + b"\x00" + salt, "sha256")


def by_id(key_id: bytes) -> MasterKey:
    """Return the master key of that name.

    Raises:
        KeyUnknown: this process has none of that name.

    """
    for key in master_keys():
        if key.id.encode() == key_id:
            return key
    raise KeyUnknown(detail=f"no master key {key_id!r}")


def wrap(data_key: bytes) -> tuple[str, bytes]:
    """Encrypt a data key by the newest master key; return that key's name and the wrapped key."""
    key = master_keys()[0]
    salt = os.urandom(SALT)
    return key.id, salt + AESGCM(derive(key.secret, "wrap", salt)).encrypt(NONCE, data_key, None)


def unwrap(key_id: bytes, wrapped: bytes) -> bytes:
    """Decrypt a data key."""
    try:
        return AESGCM(derive(by_id(key_id).secret, "wrap", wrapped[:SALT])).decrypt(NONCE, wrapped[SALT:], None)
    except InvalidTag:
        raise Unsealable(detail="wrapped key") from None


def seal(plain: bytes, *, place: str) -> bytes:
    """Encrypt a value for one place (``table:row:column``); only :func:`unseal` with the same place opens it."""
    data_key = os.urandom(KEY_SIZE)
    key_id, wrapped = wrap(data_key)
    head = FORMAT + bytes([len(key_id)]) + key_id.encode()
    return head + wrapped + AESGCM(data_key).encrypt(NONCE, plain, head + place.encode())


def _split(sealed: Stored) -> tuple[bytes, bytes, bytes, bytes]:
    sealed = bytes(sealed)
    if len(sealed) < 2 + WRAPPED or sealed[:1] != FORMAT:
        raise Unsealable(detail="not a sealed value")
    end = 2 + sealed[1]
    return sealed[:end], sealed[2:end], sealed[end : end + WRAPPED], sealed[end + WRAPPED :]


def unseal(sealed: Stored, *, place: str) -> bytes:
    """Decrypt a value that :func:`seal` made for this place.

    Raises:
        KeyUnknown: this process does not have its master key.
        Unsealable: changed or moved.

    """
    head, key_id, wrapped, body = _split(sealed)
    try:
        # The head names the wrapping key and changes when the value is re-wrapped: it is bound by the wrap itself.
        return AESGCM(unwrap(key_id, wrapped)).decrypt(NONCE, body, head + place.encode())
    except InvalidTag:
        raise Unsealable(detail=place) from None


def reseal(sealed: Stored, *, place: str) -> bytes | None:
    """Return the value sealed by the newest master key, or None where it is already."""
    _, key_id, _, _ = _split(sealed)
    if key_id == master_keys()[0].id.encode():
        return None
    return seal(unseal(sealed, place=place), place=place)


def seal_text(plain: bytes, *, purpose: str) -> str:
    """Encrypt something that a stranger carries for a while (a challenge session): base64url text, short.

    No data key: what lives for minutes need not be re-wrapped. The purpose is bound, not carried.
    """
    key = master_keys()[0]
    salt = os.urandom(SALT)
    body = AESGCM(derive(key.secret, "carried", salt)).encrypt(NONCE, plain, purpose.encode())
    return base64.urlsafe_b64encode(bytes([len(key.id)]) + key.id.encode() + salt + body).decode().rstrip("=")


def unseal_text(carried: str, *, purpose: str) -> bytes:
    """Decrypt what :func:`seal_text` made for this purpose.

    Raises:
        Unsealable: anything else.

    """
    try:
        raw = base64.b64decode(carried + "=" * (-len(carried) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != carried:
            raise Unsealable(detail=f"{purpose}: another spelling")
        end = 1 + raw[0]
        key, salt, body = by_id(raw[1:end]), raw[end : end + SALT], raw[end + SALT :]
        return AESGCM(derive(key.secret, "carried", salt)).decrypt(NONCE, body, purpose.encode())
    except (binascii.Error, ValueError, IndexError, InvalidTag):
        raise Unsealable(detail=purpose) from None


def keyed_hash(purpose: str, value: bytes | str) -> bytes:
    """Return the keyed hash (HMAC-SHA-256, newest key) under which a high-entropy secret or a code is stored."""
    return _keyed_hash(master_keys()[0], purpose, value)


def keyed_hashes(purpose: str, value: bytes | str) -> list[bytes]:
    """Return the keyed hashes by every master key, newest first: what a look-up by hash asks for."""
    return [_keyed_hash(key, purpose, value) for key in master_keys()]


def matches(purpose: str, value: bytes | str, stored: Stored) -> bool:
    """Say in constant time whether a stored keyed hash is this value's."""
    return any([hmac.compare_digest(found, bytes(stored)) for found in keyed_hashes(purpose, value)])  # noqa: C419 - all


def _keyed_hash(key: MasterKey, purpose: str, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return hmac.digest(_hash_key(key, purpose), data, "sha256")


@lru_cache(maxsize=256)
def _hash_key(key: MasterKey, purpose: str) -> bytes:
    return derive(key.secret, "hash:" + purpose)


def derived_keys(purpose: str) -> list[bytes]:
    """Return a key of each master key, newest first, for who signs by the first and checks by all (Django)."""
    return [hashlib.sha256(derive(key.secret, "permanent:" + purpose)).digest() for key in master_keys()]
