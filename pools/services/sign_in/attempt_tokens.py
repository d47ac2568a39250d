"""The opaque token of a sign-in under way: the sealed id and step of an attempt's row. One statement spends the step.

The wire's word for it is Session, which here is a browser's. What comes before a first proof
has no row: ``sealed_attempts`` carries it, and with a password it is the call itself.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from identity.foundation import clock, sealing
from identity.foundation.errors import (
    AttemptTokenExpired,
    AttemptTokenRefused,
    AttemptTokenUsed,
    ClientNotFound,
    PasswordResetRequired,
    PoolNotFound,
    UserDisabled,
)
from identity.foundation.names import uuid7
from pools.models import AppClient, hot
from pools.models import Attempt as Row
from pools.models.hot import Person
from pools.models.user import Status
from pools.services import access
from pools.services.sign_in.attempt import Attempt, Challenge, EndsIn, moment

PAGE_MINUTES = 20
"""On pages a person may have to fetch an authenticator first (WCAG 2.2.1); the API's time is the client's setting."""
STRIKES = 5
"""Wrong answers at one step, after which the attempt is over."""


def text(attempt: Attempt, attempt_id: UUID, step: int) -> str:
    """Return the token of an attempt's step."""
    carried = json.dumps([attempt.pool.public_id, str(attempt_id), step], separators=(",", ":"))
    return sealing.seal_text(carried.encode(), purpose="session")


def row(attempt: Attempt) -> Row:
    """Return a new row for an attempt that goes on; the caller saves it in the transaction of the proof."""
    return Row(
        id=uuid7(),
        pool_id=attempt.pool.pk,
        client_id=attempt.client.pk,
        user_id=attempt.subject,
        evidence=evidence(attempt),
        epoch=attempt.person_if_known.epoch if attempt.person_if_known else 0,
        expires_at=clock.now() + life(attempt),
    )


def evidence(attempt: Attempt) -> dict[str, Any]:
    """Return what a row keeps of an attempt, beside whose it is."""
    kept = {"want": attempt.ends_in, "first": attempt.first, "password_changed": attempt.password_changed}
    return {**kept, **attempt.evidence}


def life(attempt: Attempt) -> timedelta:
    """Return how long a token is good for, from the answer that brings it."""
    minutes = attempt.client.session_minutes
    return timedelta(minutes=max(minutes, PAGE_MINUTES) if attempt.ends_in is EndsIn.BROWSER else minutes)


def load(attempt_token: str, client: AppClient | None) -> Attempt:
    """Return the attempt that a token names, if that step is still open.

    Raises:
        AttemptTokenRefused: unreadable, gone, or another client's.
        AttemptTokenUsed: answered already.
        AttemptTokenExpired: too old.
        UserDisabled: the person was disabled meanwhile.
        PasswordResetRequired: an operator ended the password meanwhile, said only where the client shows existence.

    """
    try:
        pool_id, attempt_id, step = json.loads(sealing.unseal_text(attempt_token, purpose="session"))
        pool = access.pool(pool_id)
    except (sealing.Unsealable, ValueError, PoolNotFound):
        raise AttemptTokenRefused(detail="unreadable") from None
    found = hot.attempt_row(pool.pk, UUID(attempt_id))
    if found is None:
        raise AttemptTokenRefused(detail="gone")
    if not found.open or found.step != step:
        raise AttemptTokenUsed
    if found.expires_at <= clock.now():
        raise AttemptTokenExpired
    if client is not None and client.client_id != found.client_id:
        raise AttemptTokenRefused(detail="another client's")
    try:
        own = client or access.client_in(pool, found.client_id)
    except ClientNotFound:
        raise AttemptTokenRefused(detail="the client is gone") from None
    person = found.person
    if person is not None:
        _check_person(person, found.epoch, own)
    kept = dict(found.evidence)
    ends_in, password_changed = EndsIn(kept.pop("want")), str(kept.pop("password_changed"))
    first = Challenge(kept.pop("first", Challenge.PASSWORD))  # the release before knew of no other
    if password_changed != moment(found.password_changed_at):
        raise AttemptTokenRefused(detail="the password was changed meanwhile")
    return Attempt(
        own,
        found.subject,
        person,
        found.groups,
        ends_in,
        first,
        name=person.username if person else "",
        evidence=kept,
        password_changed=password_changed,
        row=found,
    )


def _check_person(person: Person, epoch: int, client: AppClient) -> None:
    """Check that whoever began may still go on."""
    if not person.enabled:
        raise UserDisabled
    if person.epoch != epoch:
        raise AttemptTokenRefused(detail="signed out meanwhile")
    if person.status == Status.RESET_REQUIRED:
        if client.hide_existence:
            raise AttemptTokenRefused(detail="the password was ended meanwhile")
        raise PasswordResetRequired


def count_try(attempt: Attempt) -> None:
    """Take one try at the present step, committed before the answer is looked at.

    Raises:
        AttemptTokenRefused: no try is left.

    """
    taken = hot.count_try(attempt.pool.pk, attempt.stored_row.id, attempt.stored_row.step, STRIKES, clock.now())
    if taken is None:
        raise AttemptTokenRefused(detail="too many wrong answers")
