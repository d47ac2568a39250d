"""The password as it is: the first factor of pages and of the flows that send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.foundation.actor import Actor
from pools.services import assurance
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
    password = str(answers.get(proof, ""))
    argon2 = attempt.credentials.argon2
    return first_proofs.count_and_check(
        attempt, lambda: passwords.verify(attempt.pool.public_id, argon2, password), by=by
    )
