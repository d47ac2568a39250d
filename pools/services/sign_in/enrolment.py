"""A second factor is set up within a sign-in whose pool requires one: before the step of set-up is answered.

What each factor asks for is its own (``factors``), and what is the same for all is in ``own_factors``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused
from pools.models import AppClient
from pools.services.receipts import Receipt
from pools.services.sign_in import attempt_tokens, machine, own_factors
from pools.services.sign_in.attempt import Attempt, Challenge, no_write

__all__ = ["enrol", "prove_enrolment"]


def enrol(
    client: AppClient | None,
    attempt_token: str,
    kind: str,
    given: Mapping[str, str] | None = None,
    *,
    receipt: Receipt | None = None,
    by: Actor,
) -> tuple[str, str]:
    """Begin to set up a factor within a sign-in that needs one; return what it takes, and the next token.

    Raises:
        AttemptTokenRefused, AttemptTokenExpired: no set-up is due at this token.
        What the factor refuses.

    """
    attempt = _at_set_up(client, attempt_token)
    needed = own_factors.enrol(attempt.pool, attempt.person, kind, given, receipt=receipt, by=by)
    return needed, machine.advance(attempt, no_write, by=by)[0]


def prove_enrolment(
    client: AppClient | None,
    attempt_token: str,
    kind: str,
    code: str,
    *,
    name: str = "",
    receipt: Receipt | None = None,
    by: Actor,
) -> str:
    """Prove what :func:`enrol` began; return the token with which to answer FACTOR_SETUP.

    Raises:
        AttemptTokenRefused, AttemptTokenExpired: as elsewhere.
        What the factor refuses. The token stays usable until its strikes are used up.

    """
    attempt = _at_set_up(client, attempt_token)
    attempt_tokens.count_try(attempt)
    own_factors.prove(attempt.pool, attempt.person, kind, code, name=name, enable=True, receipt=receipt, by=by)
    now = clock.epoch()
    proven = replace(attempt, evidence={**attempt.evidence, kind: now, "enrolled": now})
    return machine.advance(proven, no_write, by=by)[0]


def _at_set_up(client: AppClient | None, attempt_token: str) -> Attempt:
    attempt = attempt_tokens.load(attempt_token, client)
    step = machine.next_step(attempt)
    if step is None or step.challenge != Challenge.FACTOR_SETUP or attempt.proven("enrolled"):
        raise AttemptTokenRefused(detail="no set-up is due")
    return attempt
