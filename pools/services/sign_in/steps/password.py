"""The password as it is: the first factor of pages and of the flows that send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from identity.foundation import gate
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.services import access, assurance
from pools.services.people import passwords
from pools.services.sign_in import first_proofs
from pools.services.sign_in.attempt import Accepted, Attempt, Challenge, Offer, nothing_to_issue

challenge = Challenge.PASSWORD
proof = "password"
enter = nothing_to_issue


def applies(attempt: Attempt) -> bool:
    """Say whether the sign-in is by password, and nothing says yet who it is."""
    return attempt.first is challenge and not assurance.has_first(attempt.methods)


def offer(attempt: Attempt) -> Offer:
    """Return nothing: whoever is asked knows what for."""
    del attempt
    return Offer({})


def check(attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
    """Compare the password with the hash that is kept; for a decoy it takes as long.

    Raises:
        What :func:`first_proofs.count_and_check` refuses.

    """
    password, encoded = str(answers.get(proof, "")), attempt.credentials.argon2

    def is_right() -> bool:
        return passwords.verify(attempt.pool.public_id, encoded, password)

    if encoded is not None and passwords.is_foreign(encoded):
        return _check_foreign(attempt, encoded, password, is_right, by=by)
    return first_proofs.count_and_check(attempt, is_right, by=by)


def _check_foreign(
    attempt: Attempt, encoded: str, password: str, is_right: Callable[[], bool], *, by: Actor
) -> Accepted:
    """Compare the password with an imported hash, in whose place a right one then has ours, and what SRP needs."""
    pool, found = attempt.pool, attempt.credentials
    with gate.slot(pool.public_id):  # once for both: whose password is right is not turned away before the second
        accepted = first_proofs.count_and_check(attempt, is_right, by=by)
        own = passwords.hashed(pool, attempt.name, password)

    def write() -> DomainError | None:
        if (user := access.locked_user(pool, found)) is not None:
            passwords.replace_foreign(user, encoded, own)
        return accepted.write()

    return replace(accepted, write=write, only_forgets=False)
