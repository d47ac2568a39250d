"""Second factors of pool users: enrol, verify, prefer, remove. TOTP (RFC 6238: SHA-1, six digits, thirty seconds).

The arithmetic is django-otp's; seed, last step and tries are ours, since a code must be spent by one statement.
"""

from __future__ import annotations

import base64
import hmac
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django_otp.oath import TOTP

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid, TotpEnrolmentFailed, TotpMismatch, TotpNotFound, TotpUsed
from pools.models import TotpFactor, User, UserPool
from pools.models.hot import Person
from pools.services import atomic_part, audit, codes, lockout, receipts, sealing_contexts
from pools.services.audit import Tag
from pools.services.messages import notices
from pools.services.messages.notices import Change
from pools.services.receipts import Receipt

if TYPE_CHECKING:
    from pools.services.tokens.sessions import Opening

SEED_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
DRIFT = (-1, 0, 1)
METHOD = "SOFTWARE_TOKEN_MFA"


@dataclass(frozen=True, slots=True)
class TotpProof:
    """A code that is right, and was not spent when it was looked at."""

    pool_pk: int
    user_id: uuid.UUID
    step: int


def associate(pool: UserPool, user: User | Person, *, receipt: Receipt | None = None, by: Actor) -> str:
    """Make a new seed and return it in base32; it counts only once :func:`verify` has proven it.

    Asking again replaces the pending seed, which the audit row says, and leaves a proven one alone.

    Raises:
        TotpNotFound: the pool asks nobody for an authenticator.

    """
    _check_asked_for(pool)
    seed = os.urandom(SEED_BYTES)
    sealed = sealing.seal(seed, place=sealing_contexts.totp_seed(user.id))
    with atomic_part.begin() as part:
        TotpFactor.objects.bulk_create([TotpFactor(user_id=user.id, pool_id=pool.pk)], ignore_conflicts=True)
        own = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id)
        replaced = own.select_for_update().values_list("sealed_pending", flat=True).get() is not None
        part.refuse_if(receipts.keep(receipt))
        own.update(sealed_pending=sealed)
        detail = {"factor": "totp", "replaced": replaced}
        audit.record(Tag.FACTOR_OFFERED, pool=pool, subject=user.sub, by=by, detail=detail)
    return base64.b32encode(seed).decode()


def verify(  # noqa: PLR0913 - each says how
    pool: UserPool,
    user: User | Person,
    code: str,
    *,
    name: str = "",
    enable: bool = False,
    opening: Opening | None = None,
    receipt: Receipt | None = None,
    by: Actor,
) -> None:
    """Prove the pending seed by a code. ``enable`` also has it asked for at sign-in, and preferred.

    ``opening`` is the session of the browser that proves it, which is written with the proof.

    Raises:
        TotpNotFound: no seed was asked for, or the pool asks nobody for an authenticator.
        TotpEnrolmentFailed: the code is wrong.
        LockedOut: too many wrong codes.
        SessionRefused: the browser was signed out meanwhile.

    """
    _check_asked_for(pool)
    factor = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id).exclude(sealed_pending=None).first()
    if factor is None or factor.sealed_pending is None:
        raise TotpNotFound
    pending = bytes(factor.sealed_pending)
    lockout.reserve(pool, user.id, lockout.Kind.TOTP, words=lockout.LIMIT)
    step = matching_step(sealing.unseal(pending, place=sealing_contexts.totp_seed(user.id)), code)
    if step is None:
        audit.record(
            Tag.FACTOR_REFUSED, pool=pool, subject=user.sub, outcome="refused", by=by, detail={"factor": "totp"}
        )
        raise TotpEnrolmentFailed
    now, notice = clock.now(), notices.prepare(pool, user, Change.APP_ADDED)
    changes = {"sealed_seed": pending, "sealed_pending": None, "verified_at": now, "last_step": step, "name": name}
    with atomic_part.begin() as part:
        unproven = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id, sealed_pending=pending)
        if unproven.update(**changes, **({"enabled": True} if enable else {})) != 1:
            part.refuse(TotpEnrolmentFailed(detail="another seed took its place"))
        part.refuse_if(receipts.keep(receipt))
        lockout.clear(pool, user.id, lockout.Kind.TOTP)
        if enable:
            User.objects.filter(pool_id=pool.pk, pk=user.id).update(preferred_mfa=METHOD, modified_at=now)
        audit.record(Tag.FACTOR_ENROLLED, pool=pool, subject=user.sub, by=by, detail={"factor": "totp"})
        notices.send(notice)
        if opening is not None:
            opening.save()


def _check_asked_for(pool: UserPool) -> None:
    if pool.mfa == UserPool.Mfa.OFF or not pool.totp_enabled:
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


def check_totp(pool: UserPool, user: User | Person, code: str) -> TotpProof:
    """Look at a sign-in code; the try is counted first. The proof is worth nothing until :func:`spend`.

    Raises:
        TotpNotFound: the user has no proven authenticator.
        TotpMismatch, TotpUsed: wrong, or spent already.
        LockedOut: too many wrong codes, by whichever adapter.

    """
    factor = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id).exclude(verified_at=None).first()
    if factor is None or factor.sealed_seed is None:
        raise TotpNotFound
    lockout.reserve(pool, user.id, lockout.Kind.TOTP)
    step = matching_step(sealing.unseal(factor.sealed_seed, place=sealing_contexts.totp_seed(user.id)), code)
    if step is None:
        raise TotpMismatch
    if step <= factor.last_step:
        raise TotpUsed
    return TotpProof(pool.pk, user.id, step)


def spend(pool: UserPool, proof: TotpProof) -> bool:
    """Spend a code by one conditional statement, in the transaction of its effect; False for the slower duplicate."""
    unspent = TotpFactor.objects.filter(pool_id=proof.pool_pk, user_id=proof.user_id, last_step__lt=proof.step)
    if unspent.update(last_step=proof.step) != 1:
        return False
    lockout.clear(pool, proof.user_id, lockout.Kind.TOTP)
    return True


def set_preference(pool: UserPool, user: User | Person, *, totp: Mapping[str, bool] | None, by: Actor) -> None:
    """Say whether TOTP is asked for (``enabled``) and first (``preferred``). None leaves it as it is.

    Raises:
        Invalid: the pool has MFA off, or the authenticator is not proven.

    """
    if totp is None:
        return
    if pool.mfa == UserPool.Mfa.OFF or not pool.totp_enabled:
        raise Invalid("User pool does not have software token MFA turned on.", field="software_token_mfa_settings")
    enabled = bool(totp.get("enabled", False))
    if not enabled and pool.mfa == UserPool.Mfa.ON:
        raise Invalid("This user pool requires a second factor.", field="software_token_mfa_settings")
    preferred = bool(totp.get("preferred", totp.get("preferred_mfa", False)))
    if preferred and not enabled:
        raise Invalid("Preferred MFA must be enabled.", field="software_token_mfa_settings")
    now, notice = clock.now(), notices.prepare(pool, user, Change.CODES_ON if enabled else Change.CODES_OFF)
    with transaction.atomic(durable=True):
        own = TotpFactor.objects.filter(~Q(verified_at=None), pool_id=pool.pk, user_id=user.id)
        before = own.select_for_update().values_list("enabled", flat=True).first()
        proven = own.update(enabled=enabled) == 1
        if proven or not enabled:
            people = User.objects.filter(pool_id=pool.pk, pk=user.id)
            people.update(preferred_mfa=METHOD if preferred else "", modified_at=now)
            detail = {"enabled": enabled, "preferred": preferred}
            audit.record(Tag.MFA_PREFERENCE_SET, pool=pool, subject=user.sub, by=by, detail=detail)
            if proven and before != enabled:
                notices.send(notice)
    if enabled and not proven:
        raise Invalid("User has not verified software token mfa.", field="software_token_mfa_settings")


def remove(pool: UserPool, user: User | Person, *, receipt: Receipt | None = None, by: Actor) -> bool:
    """Remove the user's authenticator; say whether there was one. The adapter has asked for a fresh proof before.

    Raises:
        Invalid: the pool requires a second factor, and this is the only one.

    """
    if pool.mfa == UserPool.Mfa.ON:
        raise Invalid("This pool requires a second factor.")
    notice = notices.prepare(pool, user, Change.APP_REMOVED)
    with atomic_part.begin() as part:
        own = TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id)
        proven = own.exclude(verified_at=None).exists()
        removed, _ = own.delete()
        if not removed:
            return False
        part.refuse_if(receipts.keep(receipt))
        people = User.objects.filter(pool_id=pool.pk, pk=user.id)
        people.update(preferred_mfa="", modified_at=clock.now())
        audit.record(Tag.FACTOR_REMOVED, pool=pool, subject=user.sub, by=by, detail={"factor": "totp"})
        notices.send(notice if proven else None)
    return True


def has_totp(pool: UserPool, user: User | Person) -> bool:
    """Say whether the user has a proven authenticator, asked for or not."""
    return TotpFactor.objects.filter(pool_id=pool.pk, user_id=user.id).exclude(verified_at=None).exists()
