"""Second factors, one file each: how it is enrolled, what it shows, how an answer is checked and spent, how it goes.

``FACTORS`` lists them. No other module names one, but the tables of storage and of each adapter. What people change
about theirs, whichever it is, is in ``own_factors``; when one is due at sign-in, in ``steps.second_factor``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError
from pools.models import AppClient, User, UserPool, hot
from pools.models.hot import EnrolledFactor, Person
from pools.services.messages.notices import Change
from pools.services.sign_in.factors import sms, totp

__all__ = [
    "FACTORS",
    "Factor",
    "asked_first",
    "asked_of",
    "held_by",
    "is_on",
    "named",
    "of",
    "open_in",
    "preferred",
    "to_choose_from",
]


class Factor(Protocol):
    """One second factor: a module of this package."""

    kind: str
    """What rows, evidence, audit and challenges call it."""
    method: str
    """What a proof of it counts as (``assurance.PROOFS``)."""
    preference: str
    """What ``User.preferred_mfa`` has where it is asked for first."""
    sends_code: bool
    """Whether a message brings its codes, which costs something: one goes out only when somebody asks for it."""
    not_in_pool: str
    """What is said where the pool has it not."""
    not_proven: str
    """What is said where somebody would be asked for what they have not proven."""
    added: Change
    removed: Change
    """What its owner is told when it comes and when it goes."""
    switched: Mapping[bool, Change]
    """What its owner is told when it is asked for from now on, or no longer."""

    def is_open(self, pool: UserPool) -> bool:
        """Say whether the pool lets people have it."""

    def is_given(self, person: Person) -> bool:
        """Say whether somebody has it without having set it up, where the pool requires a second factor."""

    def begin_enrolment(
        self, pool: UserPool, user: User | Person, given: Mapping[str, str], *, by: Actor
    ) -> tuple[str, Callable[[], bool | DomainError]]:
        """Begin to set it up by what the person gives; return what they need, and what keeps it.

        That says whether it replaced another, or refuses.
        """

    def check_enrolment(
        self, pool: UserPool, user: User | Person, code: str, *, name: str, enable: bool, by: Actor
    ) -> Callable[[], DomainError | None]:
        """Look at its first code, whose try is counted first; return what puts it in force, or refuses a duplicate."""

    def enter(self, client: AppClient, person: Person, *, by: Actor) -> DomainError | None:
        """Issue what it asks for, in the transaction that reaches its step, or refuse to."""

    def offer(self, person: Person, held: EnrolledFactor) -> dict[str, Any]:
        """Return what the adapter shows when it asks."""

    def check(
        self, pool: UserPool, person: Person, answers: Mapping[str, Any], *, by: Actor
    ) -> Callable[[], DomainError | None]:
        """Look at an answer, its try counted first; return what spends it in the transaction of its effect."""

    def switch(self, pool: UserPool, user: User | Person, *, enabled: bool) -> bool | None:
        """Have it asked for or not; return what was before, None where it is not proven. Part of a transaction."""

    def delete(self, pool: UserPool, user: User | Person) -> bool | None:
        """Delete it; say whether it was proven, None where there was none. Part of a transaction."""


FACTORS: tuple[Factor, ...] = (totp, sms)
"""In the order in which they are asked for, where the person prefers none."""


def named(kind: str) -> Factor:
    """Return a factor by its kind."""
    return next(factor for factor in FACTORS if factor.kind == kind)


def open_in(pool: UserPool) -> list[Factor]:
    """Return what the pool lets people have."""
    return [factor for factor in FACTORS if factor.is_open(pool)]


def of(user: User) -> tuple[EnrolledFactor, ...]:
    """Return the factors of somebody who was not read with them: of a person they are ``person.factors``."""
    return hot.factors(user.pool_id, user.id)


def is_on(person: Person, kind: str) -> bool:
    """Say whether a person has a factor, and it is asked for."""
    return any(held.kind == kind and held.enabled for held in person.factors)


def preferred(user: User | Person) -> str:
    """Return the kind of the factor that somebody prefers, empty for none."""
    return next((factor.kind for factor in FACTORS if factor.preference == user.preferred_mfa), "")


def held_by(pool: UserPool, person: Person) -> tuple[EnrolledFactor, ...]:
    """Return the factors that the pool knows of a person: what they set up and it still lets them have.

    Where it requires one, and there is none, those that they are given: a number, say.
    """
    own = tuple(held for held in person.factors if held.kind in pool.second_factors)
    if own or pool.mfa != UserPool.Mfa.ON:
        return own
    return tuple(EnrolledFactor(factor.kind, "", False) for factor in open_in(pool) if factor.is_given(person))  # noqa: FBT003 - not switched on


def asked_of(pool: UserPool, person: Person) -> list[str]:
    """Return the kinds that a person may be asked for: those that are on; all where the pool requires one, none is."""
    held = held_by(pool, person)
    on = {each.kind for each in held if each.enabled}
    asked = on or ({each.kind for each in held} if pool.mfa == UserPool.Mfa.ON else set())
    return [factor.kind for factor in FACTORS if factor.kind in asked]


def asked_first(pool: UserPool, person: Person, *, chosen: str = "") -> Factor | None:
    """Return which of a person's factors is asked for: of those that are on, or of all where none is.

    What was ``chosen`` comes first, then the preferred one, then the order of the table.
    """
    held = held_by(pool, person)
    kinds = {each.kind for each in held if each.enabled} or {each.kind for each in held}
    ranked = sorted(FACTORS, key=lambda factor: (factor.kind != chosen, factor.preference != person.preferred_mfa))
    return next((factor for factor in ranked if factor.kind in kinds), None)


def to_choose_from(pool: UserPool, person: Person) -> list[str]:
    """Return the kinds between which a person chooses at sign-in: several that are on, none of them preferred."""
    on = [each.kind for each in held_by(pool, person) if each.enabled]
    is_open = len(on) > 1 and preferred(person) not in on
    return [factor.kind for factor in FACTORS if factor.kind in on] if is_open else []
