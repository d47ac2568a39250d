"""What signing in takes: which proofs are enough, and how fresh a sign-in must be to change factors. Pure.

A proof is known by its method (RFC 8176), whoever checked it: a step of ours, or a provider upstream. A new way of
proving is a row of ``PROOFS``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from identity.foundation import clock
from pools.models import UserPool
from pools.models.hot import Person

RECENT = timedelta(minutes=10)
"""How old a sign-in may be that changes how to sign in."""
PASSWORD = "pwd"  # noqa: S105 - a method
CODE = "otp"
"""A code that holds for a moment: an app's."""
BY_SMS = "sms"
"""A code that was sent to a telephone."""
UPSTREAM = "fed"
"""Another provider's word, which asks for factors of its own. RFC 8176 has no value for it."""
UPSTREAM_FIRST = "fed1"
"""The same, where the pool asks for a second factor of its own all the same."""
TOLD = "fed:"
"""Before a word of RFC 8176 by which such a provider says how somebody proved it there: told on, it proves nothing."""
BY = "fed-by:"
"""Before the name of that provider."""
SESSION = "fed-session:"
"""Before the id of what is kept of the session there."""
LEVEL = "fed-level:"
"""Before the number of the pool's level that the provider's word stands for."""


class Strength(NamedTuple):
    """What a proof counts for."""

    first: bool
    second: bool


PROOFS = {
    PASSWORD: Strength(first=True, second=False),
    CODE: Strength(first=False, second=True),
    BY_SMS: Strength(first=False, second=True),
    UPSTREAM: Strength(first=True, second=True),  # the pool's MFA is not asked of federated people
    UPSTREAM_FIRST: Strength(first=True, second=False),
}


def level(methods: Iterable[str]) -> int:
    """Return the level that proofs of a sign-in reach: by how many there are, or as a provider says of its own."""
    given = list(methods)
    told = [int(method.removeprefix(LEVEL)) for method in given if method.startswith(LEVEL)]
    return max([len({method for method in given if method in PROOFS}), *told])


def provider(methods: Iterable[str]) -> str:
    """Return the name of the provider whose word opened a session; empty where none did."""
    return next((method.removeprefix(BY) for method in methods if method.startswith(BY)), "")


def upstream_session(methods: Iterable[str]) -> str:
    """Return the id of what is kept of the session at a provider that opened one of ours; empty where nothing is."""
    return next((method.removeprefix(SESSION) for method in methods if method.startswith(SESSION)), "")


def of_tokens(methods: Iterable[str]) -> list[str]:
    """Return of a session's methods what tokens tell: who vouched, and in which session, is the browser's alone."""
    return [method for method in methods if not method.startswith((BY, SESSION))]


def words(methods: Iterable[str]) -> list[str]:
    """Return how somebody signed in, as ``amr`` says it: by our proofs, and by what a provider told of its own."""
    given = list(methods)
    own = [method for method in given if method in PROOFS and not method.startswith(UPSTREAM)]
    return list(dict.fromkeys([*own, *(method.removeprefix(TOLD) for method in given if method.startswith(TOLD))]))


def is_recent(auth_time: datetime) -> bool:
    """Say whether who signed in then may change what they sign in by, or has to prove again who they are."""
    return auth_time >= clock.now() - RECENT


def needs_second(pool: UserPool, person: Person) -> bool:
    """Say whether somebody needs a second factor to sign in: where the pool requires one, or one of theirs is on.

    What the pool no longer lets people have is asked of nobody.
    """
    if pool.mfa == UserPool.Mfa.OPTIONAL:
        return any(factor.enabled for factor in person.factors if factor.kind in pool.second_factors)
    return pool.mfa == UserPool.Mfa.ON


def is_enough(pool: UserPool, person: Person, methods: Iterable[str]) -> bool:
    """Say whether these proofs are all that signing in takes now; what is no known proof counts for nothing."""
    given = list(methods)
    return has_first(given) and not lacks_second(pool, person, given)


def has_first(methods: Iterable[str]) -> bool:
    """Say whether one of these proofs says who somebody is."""
    return any(PROOFS[method].first for method in methods if method in PROOFS)


def lacks_second(pool: UserPool, person: Person, methods: Iterable[str]) -> bool:
    """Say whether somebody needs a second factor to sign in, and none of these proofs is one."""
    return needs_second(pool, person) and not any(PROOFS[method].second for method in methods if method in PROOFS)
