"""Enrolment of a second factor, where the pool requires one and the person has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused
from pools.models import UserPool
from pools.services import assurance
from pools.services.sign_in import factors
from pools.services.sign_in.attempt import Accepted, Attempt, Challenge, Offer, nothing_to_issue

challenge = Challenge.FACTOR_SETUP
enter = nothing_to_issue
proof = ""


def applies(attempt: Attempt) -> bool:
    """Say whether the pool requires a factor that the person has not, and the attempt has not gone through set-up."""
    if attempt.pool.mfa != UserPool.Mfa.ON or attempt.proven("set_up"):
        return False
    if attempt.proven("enrolled"):
        return True
    return not factors.held_by(attempt.pool, attempt.person) and assurance.lacks_second(
        attempt.pool, attempt.person, attempt.methods
    )


def offer(attempt: Attempt) -> Offer:
    """Return the kinds of factors that can be set up."""
    return Offer({"can_set_up": [factor.kind for factor in factors.open_in(attempt.pool)]})


def check(attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
    """Accept once a factor was proven within this attempt; the answer itself says nothing.

    Raises:
        AttemptTokenRefused: it was not.

    """
    del answers, by
    if not attempt.proven("enrolled"):
        raise AttemptTokenRefused(detail="no factor was enrolled")
    return Accepted("set_up")
