"""The proof that a browser chose a password, kept by it in place of the password until its new account is confirmed.

A sealed string of one app, good for as long as the mailed code, while the password stays as it was set, and once. What
it leads to, ``sign_in.machine`` decides.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from typing import NamedTuple
from uuid import UUID

from identity.foundation import clock, sealing
from identity.foundation.errors import AttemptTokenExpired, AttemptTokenRefused, DomainError
from identity.foundation.names import uuid7
from pools.models import AppClient, hot
from pools.models.hot import Credentials
from pools.services import codes

PACKED = struct.Struct(">16s16s16sQ")
DIGEST = 16


class PasswordProof(NamedTuple):
    """Who chose which password, and until when that counts. ``id`` is spent with it."""

    id: UUID
    user_id: UUID
    digest: bytes
    until: int


def make(client: AppClient, user_id: UUID, argon2: str) -> str:
    """Return the proof of a password that was set for somebody just now."""
    return _sealed(client, user_id.bytes, digest(argon2))


def make_dummy(client: AppClient) -> str:
    """Return a proof that proves nothing, as long as any other: a cookie's length is seen."""
    return _sealed(client, os.urandom(16), os.urandom(DIGEST))


def _sealed(client: AppClient, user_id: bytes, of_password: bytes) -> str:
    until = clock.epoch() + round(codes.life(codes.Purpose.SIGN_UP).total_seconds())
    return sealing.seal_text(PACKED.pack(uuid7().bytes, user_id, of_password, until), purpose=_purpose(client))


def _purpose(client: AppClient) -> str:
    return f"password-proof:{client.pool.public_id}:{client.client_id}"


def digest(argon2: str) -> bytes:
    """Return what tells a stored password from every other: its hash has a salt of its own each time it is set."""
    return hashlib.sha256(argon2.encode()).digest()[:DIGEST]


def read(client: AppClient, proof: str) -> PasswordProof:
    """Return what a proof says; whether it still counts is seen with the account.

    Raises:
        AttemptTokenRefused: unreadable, or another app's.
        AttemptTokenExpired: too old.

    """
    try:
        proof_id, user_id, of_password, until = PACKED.unpack(sealing.unseal_text(proof, purpose=_purpose(client)))
    except (sealing.Unsealable, struct.error):
        raise AttemptTokenRefused(detail="no proof of a password") from None
    if until <= clock.epoch():
        raise AttemptTokenExpired
    return PasswordProof(UUID(bytes=proof_id), UUID(bytes=user_id), of_password, until)


def check(client: AppClient, proof: str, found: Credentials) -> PasswordProof:
    """Return what a proof says, where it is about the one found and their password is the one that was chosen.

    Raises:
        AttemptTokenRefused: it is another's or of another password; AttemptTokenExpired: too old.

    """
    chosen = read(client, proof)
    if found.id != chosen.user_id or not found.argon2:
        raise AttemptTokenRefused(detail="another account's proof")
    if not hmac.compare_digest(digest(found.argon2), chosen.digest):
        raise AttemptTokenRefused(detail="the password was changed meanwhile")
    return chosen


def spend(proof: PasswordProof) -> DomainError | None:
    """Spend a proof by one statement, in the transaction of its effect; return the slower duplicate's refusal."""
    return None if hot.execute(hot.SPEND, [proof.id]) else AttemptTokenRefused(detail="spent already")
