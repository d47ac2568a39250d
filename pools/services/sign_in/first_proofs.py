"""What every proof of a password goes through, plain or by SRP: one gate, one counter, one order of refusals.

People and decoys alike. How a proof is looked at is the step's business.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from prometheus_client import Counter

from identity.foundation import clock, gate
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    AttemptTokenRefused,
    DomainError,
    PasswordIncorrect,
    PasswordResetRequired,
    TemporaryPasswordExpired,
    UserDisabled,
    UserNotConfirmed,
    UserNotFound,
)
from identity.foundation.names import uuid7
from pools.models import AppClient, hot
from pools.models.hot import Credentials
from pools.models.user import Status
from pools.services import audit, lockout
from pools.services.sign_in.attempt import Accepted, Attempt

SIGN_INS = Counter("cognate_sign_ins_total", "Sign-ins by how they ended.", ["outcome"])


def count_and_check(attempt: Attempt, is_right: Callable[[], bool], *, by: Actor) -> Accepted:
    """Count a guess at a password, then look at it; return the accepted proof.

    Raises:
        PasswordIncorrect, or UserNotFound where the client lets unknown users know: wrong.
        LockedOut: too many wrong ones, of people and unknown users alike.
        UserDisabled, UserNotConfirmed, PasswordResetRequired, TemporaryPasswordExpired: right, but.
        Overloaded: too many others are being looked at.

    """
    client, pool, found = attempt.client, attempt.pool, attempt.credentials
    with gate.slot(pool.public_id):  # first: whoever is turned away there has not guessed
        lockout.take_guess(pool, attempt.subject, lockout.Kind.PASSWORD)
        right = is_right()
    refusal = refusal_of(client, found, right=right)
    if refusal is not None:
        record_refusal(client, found.id, attempt.subject if right else None, refusal, by=by)
        raise refusal

    def write() -> DomainError | None:
        lockout.clear(pool, attempt.subject, lockout.Kind.PASSWORD)
        return None

    return Accepted("password", write, only_forgets=True)


def refusal_of(client: AppClient, found: Credentials, *, right: bool) -> DomainError | None:
    """Return why a first proof does not lead on, in the order in which Cognito tells it; None where it does."""
    if found.id is None and not client.hide_existence:
        return UserNotFound()
    if found.id is None or not right:
        is_new = found.status == Status.RESET_REQUIRED and not found.argon2
        return PasswordResetRequired() if is_new and not client.hide_existence else PasswordIncorrect()
    if not found.enabled:
        return UserDisabled()
    if found.status == Status.UNCONFIRMED:
        return UserNotConfirmed()
    if found.status == Status.RESET_REQUIRED:
        return PasswordIncorrect() if client.hide_existence else PasswordResetRequired()
    if found.status == Status.EXTERNAL_PROVIDER:
        return PasswordIncorrect(detail="signs in elsewhere")
    if found.password_expires_at is not None and found.password_expires_at <= clock.now():
        return TemporaryPasswordExpired()
    return None


def check_vouched(client: AppClient, found: Credentials, *, by: Actor) -> None:
    """Check that a provider's word for somebody leads on; record where it does not.

    Raises:
        UserDisabled, UserNotConfirmed: who it is may not sign in.
        AttemptTokenRefused: the account is gone.

    """
    refusal: DomainError | None = None
    if found.id is None:
        refusal = AttemptTokenRefused(detail="the account is gone")
    elif not found.enabled:
        refusal = UserDisabled()
    elif found.status == Status.UNCONFIRMED:
        refusal = UserNotConfirmed()
    if refusal is not None:
        record_refusal(client, found.id, None, refusal, by=by)
        raise refusal


def record_refusal(
    client: AppClient, user_id: UUID | None, proven: UUID | None, refusal: DomainError, *, by: Actor
) -> None:
    """Record a refusal outside any transaction; a right password forgets the failures even so."""
    SIGN_INS.labels("refused").inc()
    if proven is not None:
        lockout.clear(client.pool, proven, lockout.Kind.PASSWORD)
    event = audit.sign_in_event(
        event_id=uuid7(),
        pool=client.pool,
        client_pk=client.pk,
        user_id=user_id,
        passed=False,
        by=by,
        reason=type(refusal).__name__,
    )
    hot.execute(hot.AUTH_EVENT, event)
