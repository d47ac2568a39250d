"""The authenticator's code, where the person has one that is asked for. A code is spent once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, TotpUsed
from pools.services import assurance, audit
from pools.services.audit import Tag
from pools.services.sign_in import factors
from pools.services.sign_in.attempt import Accepted, Attempt, Challenge, Offer, nothing_to_issue

challenge = Challenge.TOTP
enter = nothing_to_issue
proof = "code"


def applies(attempt: Attempt) -> bool:
    """Say whether a code is due: of a person whose authenticator is on, or of any who has one where MFA is required."""
    person = attempt.person
    return person.totp_verified and assurance.lacks_second(attempt.pool, person, attempt.methods)


def offer(attempt: Attempt) -> Offer:
    """Return the name the person gave the authenticator."""
    return Offer({"name": attempt.person.totp_name})


def check(attempt: Attempt, answers: Mapping[str, Any], *, by: Actor) -> Accepted:
    """Check the code.

    Raises:
        TotpMismatch, TotpUsed, LockedOut: as named.

    """
    pool, person = attempt.pool, attempt.person
    try:
        proof = factors.check_totp(pool, person, str(answers.get("code", "")))
    except DomainError as problem:
        detail = {"factor": "totp", "reason": type(problem).__name__}
        audit.record(Tag.FACTOR_REFUSED, pool=pool, subject=person.sub, outcome="refused", by=by, detail=detail)
        raise

    def write() -> DomainError | None:
        return None if factors.spend(pool, proof) else TotpUsed()

    return Accepted("totp", write)
