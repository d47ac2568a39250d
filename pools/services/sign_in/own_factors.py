"""What people change about their second factors: one is set up or goes, is asked for or not, or comes first.

An operator changes the same for somebody else, by the same rules, but may also remove what the pool requires. What is
the same for all is here, each change with its audit row and the notice to its owner; what differs is the factor's own
(``factors``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db.models import Case, F, Value, When

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, Invalid
from pools.models import User, UserPool
from pools.models.hot import EnrolledFactor, Person
from pools.services import access, atomic_part, audit, receipts
from pools.services.audit import Tag
from pools.services.messages import notices
from pools.services.receipts import Receipt
from pools.services.sign_in import factors
from pools.services.sign_in.factors import Factor
from pools.services.tokens.sessions import PreparedSession


class Preference(NamedTuple):
    """Whether a factor is to be asked for, and first."""

    enabled: bool
    preferred: bool = False


def enrol(
    pool: UserPool,
    user: User | Person,
    kind: str,
    given: Mapping[str, str] | None = None,
    *,
    receipt: Receipt | None = None,
    by: Actor,
) -> str:
    """Begin to set up a factor by what the person gives; return what they need for it.

    It counts only once :func:`prove` has proven it.

    Asking again replaces what is pending, which the audit row says, and leaves what is proven alone.

    Raises:
        What the factor refuses.

    """
    needed, keep = factors.named(kind).begin_enrolment(pool, user, given or {}, by=by)
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        replaced = keep()
        if isinstance(replaced, DomainError):
            part.refuse(replaced)
        detail = {"factor": kind, "replaced": replaced}
        audit.record(Tag.FACTOR_OFFERED, pool=pool, subject=user.sub, by=by, detail=detail)
    return needed


def prove(  # noqa: PLR0913 - each says how
    pool: UserPool,
    user: User | Person,
    kind: str,
    code: str,
    *,
    name: str = "",
    enable: bool = False,
    opening: PreparedSession | None = None,
    receipt: Receipt | None = None,
    by: Actor,
) -> None:
    """Prove what is pending by a code. ``enable`` also has it asked for at sign-in, and preferred.

    ``opening`` is the session of the browser that proves it, which is written with the proof.

    Raises:
        AttemptTokenRefused: the browser was signed out meanwhile.
        UserNotFound: deleted meanwhile.
        What the factor refuses.

    """
    factor = factors.named(kind)
    keep = factor.check_enrolment(pool, user, code, name=name, enable=enable, by=by)
    notice = notices.prepare(pool, user, factor.added, by=by)
    with atomic_part.begin() as part:
        access.lock_user(part, pool, user)
        part.refuse_if(keep())
        part.refuse_if(receipts.keep(receipt))
        if enable:
            _prefer(pool, user, Value(factor.preference))
        audit.record(Tag.FACTOR_ENROLLED, pool=pool, subject=user.sub, by=by, detail={"factor": kind})
        notices.send(notice)
        if opening is not None:
            opening.save()


def set_preference(
    pool: UserPool,
    user: User | Person,
    wishes: Mapping[str, Preference],
    *,
    receipt: Receipt | None = None,
    by: Actor,
) -> None:
    """Have factors asked for or not, by kind, and one of them first. The others stay as they are.

    That one is not asked for is as it is where the pool has others alone.

    Raises:
        Invalid: the pool has not that factor, or requires one; or the person has not proven it.
        UserNotFound: deleted meanwhile.

    """
    wanted = [
        (factor, wish)
        for kind, wish in wishes.items()
        if (factor := factors.named(kind)).is_open(pool) or any(wish) or pool.mfa == UserPool.Mfa.OFF
    ]
    if not wanted:
        return
    for factor, wish in wanted:
        _check(pool, factor, wish)
    if sum(wish.preferred for _, wish in wanted) > 1:
        raise Invalid("Only one factor can be set as preferred.", code="two_preferred")
    told = [notices.prepare(pool, user, factor.switched[wish.enabled], by=by) for factor, wish in wanted]
    first = next((Value(factor.preference) for factor, wish in wanted if wish.preferred), None)
    with atomic_part.begin() as part:
        access.lock_user(part, pool, user)
        part.refuse_if(receipts.keep(receipt))
        for (factor, wish), notice in zip(wanted, told, strict=True):
            before = factor.switch(pool, user, enabled=wish.enabled)
            if wish.enabled and before is None:
                part.refuse(Invalid(factor.not_proven))
            detail = {"factor": factor.kind, "enabled": wish.enabled, "preferred": wish.preferred}
            audit.record(Tag.MFA_PREFERENCE_SET, pool=pool, subject=user.sub, by=by, detail=detail)
            notices.send(notice if before is (not wish.enabled) else None)
        _prefer(pool, user, first or _none_of(factor for factor, _ in wanted))


def _check(pool: UserPool, factor: Factor, wish: Preference) -> None:
    if not factor.is_open(pool):
        raise Invalid(factor.not_in_pool)
    if not wish.enabled and pool.mfa == UserPool.Mfa.ON:
        raise Invalid("This user pool requires a second factor.")
    if wish.preferred and not wish.enabled:
        raise Invalid("Preferred MFA must be enabled.")


def remove(pool: UserPool, user: User | Person, kind: str, *, receipt: Receipt | None = None, by: Actor) -> bool:
    """Remove a factor; say whether there was one. The adapter has asked for a fresh proof before.

    Raises:
        Invalid: the pool requires a second factor, and no other is on.
        UserNotFound: deleted meanwhile.

    """
    return _remove(pool, user, kind, receipt, keeps_needed=True, by=by)


def is_needed(pool: UserPool, held: Iterable[EnrolledFactor], kind: str) -> bool:
    """Say whether a factor stays because the pool requires one: nothing else that somebody set up is on."""
    others = (each for each in held if each.kind != kind and each.kind in pool.second_factors)
    return pool.mfa == UserPool.Mfa.ON and not any(each.enabled for each in others)


def remove_lost(pool: UserPool, user: User, kind: str, *, by: Actor) -> bool:
    """Remove a factor for somebody who has lost it, as an operator; say whether there was one.

    Where the pool requires a second factor, they set up another when they next sign in.

    Raises:
        UserNotFound: deleted meanwhile.

    """
    return _remove(pool, user, kind, None, keeps_needed=False, by=by)


def _remove(
    pool: UserPool, user: User | Person, kind: str, receipt: Receipt | None, *, keeps_needed: bool, by: Actor
) -> bool:
    factor = factors.named(kind)
    notice = notices.prepare(pool, user, factor.removed, by=by)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        if keeps_needed and is_needed(pool, factors.of(locked), kind):
            part.refuse(Invalid("This pool requires a second factor."))
        was_proven = factor.delete(pool, user)
        if was_proven is None:
            return False
        part.refuse_if(receipts.keep(receipt))
        _prefer(pool, user, _none_of([factor]))
        audit.record(Tag.FACTOR_REMOVED, pool=pool, subject=user.sub, by=by, detail={"factor": kind})
        notices.send(notice if was_proven else None)
    return True


def _prefer(pool: UserPool, user: User | Person, preference: Case | Value) -> None:
    people = User.objects.filter(pool_id=pool.pk, pk=user.id)
    people.update(preferred_mfa=preference, modified_at=clock.now())


def _none_of(given: Iterable[Factor]) -> Case:
    """Return the preference as it is, none where it was one of these."""
    words = [factor.preference for factor in given]
    return Case(When(preferred_mfa__in=words, then=Value("")), default=F("preferred_mfa"))
