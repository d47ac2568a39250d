"""An attempt before its first proof: a sealed string that the client carries, so that unknown callers write no rows.

Its id is spent in the transaction of its success, so that it succeeds once. The pool, the client and what the string is
for are bound, not carried. SRP's clients carry the same bytes in another spelling, as SECRET_BLOCK.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from uuid import UUID

from identity.foundation import clock, sealing
from identity.foundation.errors import AttemptTokenExpired, AttemptTokenRefused, AttemptTokenUsed, DomainError
from identity.foundation.names import uuid7
from pools.models import AppClient, account_rows, hot
from pools.services import access
from pools.services.sign_in import attempt_tokens
from pools.services.sign_in.attempt import Attempt, Carried, Challenge, EndsIn, moment

HEAD = struct.Struct(">B16s16s16sQ")
"""What it is for, id, subject, digest of the internal name, end."""
ENDS = tuple(EndsIn)


def seal(attempt: Attempt, private: bytes) -> str:
    """Return the string that carries an attempt until its first proof, as long as any attempt token is good for."""
    until = clock.epoch() + round(attempt_tokens.life(attempt).total_seconds())
    head = HEAD.pack(ENDS.index(attempt.ends_in), uuid7().bytes, attempt.subject.bytes, _digest(attempt.name), until)
    return sealing.seal_text(head + private, purpose=_purpose(attempt.client, attempt.first))


def load(attempt_token: str, client: AppClient, first: Challenge) -> Attempt:
    """Return the attempt that a string carries, with what its first proof is checked against: one statement.

    Raises:
        AttemptTokenRefused: unreadable, or another client's, pool's or factor's.
        AttemptTokenExpired: too old.

    """
    try:
        raw = sealing.unseal_text(attempt_token, purpose=_purpose(client, first))
        ends_in, attempt_id, subject, names, until = HEAD.unpack_from(raw)
    except (sealing.Unsealable, struct.error):
        raise AttemptTokenRefused(detail="unreadable") from None
    if until <= clock.epoch():
        raise AttemptTokenExpired
    found = account_rows.credentials(client.pool_id, "", UUID(bytes=subject))
    return Attempt(
        client,
        UUID(bytes=subject),
        None,
        (),
        ENDS[ends_in],
        first,
        name=found.username or "",
        password_changed=moment(found.password_changed_at),
        credentials_if_due=found,
        carried=Carried(UUID(bytes=attempt_id), block(attempt_token), names, raw[HEAD.size :]),
    )


def block(attempt_token: str) -> str:
    """Return a sealed string as SRP's clients carry and decode it: in base64 proper."""
    return attempt_token.replace("-", "+").replace("_", "/") + "=" * (-len(attempt_token) % 4)


def token_of(block: str) -> str:
    """Return the attempt token of a block."""
    return block.rstrip("=").replace("+", "-").replace("/", "_")


def is_about(attempt: Attempt, name: str) -> bool:
    """Say whether a name means whom an attempt is about, a decoy by the name it was told or the one it was asked by."""
    pool, credentials = attempt.pool, attempt.credentials_if_due
    if attempt.person_if_known is not None:
        return access.is_called(pool, attempt.person_if_known, name)
    if credentials is not None and credentials.id is not None:
        return access.is_called(pool, credentials, name)
    if access.decoy(pool, name).id == attempt.subject:
        return True
    carried = attempt.carried
    return carried is not None and hmac.compare_digest(carried.username_digest, _digest(access.normalise(pool, name)))


def spend(attempt: Attempt) -> DomainError | None:
    """Spend a sealed attempt by one statement, in the transaction of its success; return a duplicate's refusal."""
    if attempt.carried is None:
        return None
    return None if hot.execute(hot.SPEND, [attempt.carried.id]) else AttemptTokenUsed(detail="spent already")


def _purpose(client: AppClient, first: Challenge) -> str:
    return f"attempt:{client.pool.public_id}:{client.client_id}:{first.value}"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:16]
