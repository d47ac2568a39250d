"""The authenticator app as a second factor: TOTP (RFC 6238: SHA-1, six digits, thirty seconds). A code is spent once.

The arithmetic is django-otp's; seed, last step and tries are ours, since a code must be spent by one statement.
"""

from __future__ import annotations

import base64
import hmac
import os
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django_otp.oath import TOTP

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, TotpEnrolmentFailed, TotpMismatch, TotpNotFound, TotpUsed
from pools.models import AppClient, TotpFactor, User, UserPool
from pools.models.hot import EnrolledFactor, Person
from pools.services import assurance, audit, codes, lockout, sealing_contexts
from pools.services.audit import Tag
from pools.services.messages.notices import Change

kind = "totp"
method = assurance.CODE
preference = "SOFTWARE_TOKEN_MFA"
sends_code = False
not_in_pool = "User pool does not have software token MFA turned on."
not_proven = "User has not verified software token mfa."
added = Change.APP_ADDED
removed = Change.APP_REMOVED
switched: Mapping[bool, Change] = {True: Change.CODES_ON, False: Change.CODES_OFF}
SEED_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
DRIFT = (-1, 0, 1)


def is_open(pool: UserPool) -> bool:
    """Say whether the pool lets people have an authenticator."""
    return kind in pool.second_factors


def is_given(person: Person) -> bool:
    """Say that nobody has an app without having set it up."""
    del person
    return False


def begin_enrolment(
    pool: UserPool, user: User | Person, given: Mapping[str, str], *, by: Actor
) -> tuple[str, Callable[[], bool | DomainError]]:
    """Make a new seed; return it in base32, and what keeps it and says whether it took the place of a pending one.

    A proven seed stays, until this one is proven too.

    Raises:
        TotpNotFound: the pool asks nobody for an authenticator.

    """
    del given, by
    _check_open(pool)
    seed = os.urandom(SEED_BYTES)
    sealed = sealing.seal(seed, place=sealing_contexts.totp_seed(user.id))
    return base64.b32encode(seed).decode(), partial(_keep_pending, pool, user.id, sealed)


def _keep_pending(pool: UserPool, user_id: uuid.UUID, sealed: bytes) -> bool:
    TotpFactor.objects.bulk_create([TotpFactor(user_id=user_id, pool_id=pool.pk)], ignore_conflicts=True)
    own = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user_id)
    replaced = own.select_for_update().values_list("sealed_pending", flat=True).get() is not None
    own.update(sealed_pending=sealed)
    return replaced


def check_enrolment(
    pool: UserPool, user: User | Person, code: str, *, name: str, enable: bool, by: Actor
) -> Callable[[], DomainError | None]:
    """Look at the first code of the pending seed; the try is counted first. What is returned puts the seed in force.

    Raises:
        TotpNotFound: no seed was asked for, or the pool asks nobody for an authenticator.
        TotpEnrolmentFailed: the code is wrong.
        LockedOut: too many wrong codes.

    """
    _check_open(pool)
    factor = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id).exclude(sealed_pending=None).first()
    if factor is None or factor.sealed_pending is None:
        raise TotpNotFound
    pending = bytes(factor.sealed_pending)
    lockout.take_guess(pool, user.id, lockout.Kind.TOTP, words=lockout.LIMIT)
    step = matching_step(sealing.unseal(pending, place=sealing_contexts.totp_seed(user.id)), code)
    if step is None:
        audit.record(Tag.FACTOR_REFUSED, pool=pool, subject=user.sub, outcome="refused", by=by, detail={"factor": kind})
        raise TotpEnrolmentFailed
    changes = {"sealed_seed": pending, "sealed_pending": None, "last_step": step, "name": name}
    return partial(_keep_proven, pool, user.id, pending, {**changes, **({"enabled": True} if enable else {})})


def _keep_proven(pool: UserPool, user_id: uuid.UUID, pending: bytes, changes: dict[str, Any]) -> DomainError | None:
    unproven = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user_id, sealed_pending=pending)
    if unproven.update(verified_at=clock.now(), **changes) != 1:
        return TotpEnrolmentFailed(detail="another seed took its place")
    lockout.clear(pool, user_id, lockout.Kind.TOTP)
    return None


def _check_open(pool: UserPool) -> None:
    if not is_open(pool):
        raise TotpNotFound("Software Token MFA has not been enabled by the userPool")


def matching_step(seed: bytes, code: str) -> int | None:
    """Return the time step whose code this is, one step of drift allowed; all are compared, in constant time."""
    now, typed = clock.epoch(), codes.plain(code).encode()
    found = None
    for drift in DRIFT:
        totp = TOTP(seed, STEP_SECONDS, 0, DIGITS, drift)
        totp.time = now
        if hmac.compare_digest(f"{totp.token():0{DIGITS}d}".encode(), typed):
            found = now // STEP_SECONDS + drift
    return found


def enter(client: AppClient, person: Person, *, by: Actor) -> DomainError | None:
    """Send nothing: the app makes its codes by itself."""
    del client, person, by
    return None


def offer(person: Person, held: EnrolledFactor) -> dict[str, Any]:
    """Return the name the person gave the authenticator."""
    del person
    return {"name": held.name}


def check(
    pool: UserPool, person: User | Person, answers: Mapping[str, Any], *, by: Actor
) -> Callable[[], DomainError | None]:
    """Look at a sign-in code; the try is counted first. What is returned spends the code.

    Raises:
        TotpNotFound: the user has no proven authenticator.
        TotpMismatch, TotpUsed: wrong, or spent already.
        LockedOut: too many wrong codes, by whichever adapter.

    """
    del by
    factor = TotpFactor.objects.filter(pool_id=pool.pk, user_id=person.id).exclude(verified_at=None).first()
    if factor is None or factor.sealed_seed is None:
        raise TotpNotFound
    lockout.take_guess(pool, person.id, lockout.Kind.TOTP)
    seed = sealing.unseal(factor.sealed_seed, place=sealing_contexts.totp_seed(person.id))
    step = matching_step(seed, str(answers.get("code", "")))
    if step is None:
        raise TotpMismatch
    if step <= factor.last_step:
        raise TotpUsed
    return partial(_spend, pool, person.id, step)


def _spend(pool: UserPool, user_id: uuid.UUID, step: int) -> DomainError | None:
    """Spend a code by one conditional statement; refuse the slower duplicate."""
    unspent = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user_id, last_step__lt=step)
    if unspent.update(last_step=step) != 1:
        return TotpUsed()
    lockout.clear(pool, user_id, lockout.Kind.TOTP)
    return None


def switch(pool: UserPool, user: User | Person, *, enabled: bool) -> bool | None:
    """Have a proven authenticator asked for or not; return what was before, None where there is none."""
    own = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id).exclude(verified_at=None)
    before = own.select_for_update().values_list("enabled", flat=True).first()
    own.update(enabled=enabled)
    return before


def delete(pool: UserPool, user: User | Person) -> bool | None:
    """Delete the authenticator and its seeds; say whether it was proven, None where there was none."""
    own = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id)
    proven = own.exclude(verified_at=None).exists()
    deleted, _ = own.delete()
    return proven if deleted else None
