"""Which second factor is asked for, where somebody has several on and prefers none (AWS: SELECT_MFA_TYPE)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid
from pools.services import assurance
from pools.services.sign_in import factors
from pools.services.sign_in.attempt import CHOSEN, Accepted, Attempt, Challenge, Offer, nothing_to_issue

challenge = Challenge.FACTOR_CHOICE
enter = nothing_to_issue
proof = "factor"


def applies(attempt: Attempt) -> bool:
    """Say whether a second factor is due, and it is open which."""
    if attempt.proven(CHOSEN) or not assurance.lacks_second(attempt.pool, attempt.person, attempt.methods):
        return False
    return bool(factors.to_choose_from(attempt.pool, attempt.person))


def offer(attempt: Attempt) -> Offer:
    """Return the kinds of factors to choose from."""
    return Offer({"can_choose": factors.to_choose_from(attempt.pool, attempt.person)})


def check(attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
    """Take the choice; nothing is proven by it.

    Raises:
        Invalid: it is none of theirs.

    """
    del by
    chosen = answers.get(proof)
    if chosen not in factors.to_choose_from(attempt.pool, attempt.person):
        raise Invalid("Invalid MFA type selected.", field=proof, code="no_such_factor")
    return Accepted(challenge, notes={CHOSEN: str(chosen)})
