"""The password proven by SRP: it never leaves the client. The arithmetic is ``people.srp``'s.

The server's half of the exchange waits in the sealed attempt, which is the SECRET_BLOCK that the client signs.
"""

from __future__ import annotations

import hmac
import re
import struct
from collections.abc import Mapping
from typing import Any

from identity.foundation import gate
from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused, Invalid
from pools.services import assurance
from pools.services.people import passwords
from pools.services.people import srp as arithmetic
from pools.services.sign_in import first_proofs
from pools.services.sign_in.attempt import Accepted, Attempt, Challenge, Offer, nothing_to_issue

challenge = Challenge.PASSWORD_VERIFIER
proof = "signature"
enter = nothing_to_issue
PRIVATE = struct.Struct(f">{arithmetic.SIZE}s32s32s")
"""A, u and b. B is in u, and not needed again."""
STAMP = re.compile(r"[A-Za-z]{3} [A-Za-z]{3} {1,2}\d{1,2} \d{2}:\d{2}:\d{2} [A-Z]{1,5} \d{4}", re.ASCII)


def applies(attempt: Attempt) -> bool:
    """Say whether the sign-in is by SRP, and nothing says yet who it is."""
    return attempt.first is challenge and not assurance.has_first(attempt.methods)


def offer(attempt: Attempt) -> Offer:
    """Answer the client's public value by the server's, reckoned from the verifier that is kept, or a decoy's.

    Raises:
        Invalid: the public value is none, or no secret.
        Overloaded: the gate is full.

    """
    pool = attempt.pool
    client_public = arithmetic.public_value(str(attempt.initial_answers.get("client_public", "")))
    if client_public is None:
        raise Invalid("Invalid SRP_A.", field="client_public")
    kept, _ = passwords.srp_verifier(pool, attempt.credentials, attempt.subject)
    with gate.slot(pool.public_id):
        hello = arithmetic.server_hello(kept)
    numbers = (
        (client_public, arithmetic.SIZE),
        (arithmetic.scrambler(client_public, hello.public), 32),
        (hello.secret, 32),
    )
    private = PRIVATE.pack(*(number.to_bytes(size, "big") for number, size in numbers))
    return Offer({"salt": passwords.srp_salt(pool, attempt.name), "server_public": hello.public}, private)


def check(attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
    """Compare the client's signature with that of the shared key; for a decoy it takes as long.

    Raises:
        Invalid: the time stamp is none.
        What :func:`first_proofs.count_and_check` refuses.

    """
    pool, carried = attempt.pool, attempt.carried
    if carried is None or len(carried.private) != PRIVATE.size:
        raise AttemptTokenRefused(detail="no exchange was begun")
    stamp, signature = str(answers.get("timestamp", "")), str(answers.get(proof, ""))
    if not STAMP.fullmatch(stamp):
        raise Invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.", field="timestamp")
    client_public, u, secret = (int.from_bytes(part, "big") for part in PRIVATE.unpack(carried.private))
    kept, is_kept = passwords.srp_verifier(pool, attempt.credentials, attempt.subject)

    def is_right() -> bool:
        key = arithmetic.shared_key(client_public, u, secret, kept)
        if key is None:
            return False
        expected = arithmetic.signature(key, pool.public_id, attempt.name, carried.secret_block, stamp)
        matches = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
        return matches and is_kept

    return first_proofs.count_and_check(attempt, is_right, by=by)
