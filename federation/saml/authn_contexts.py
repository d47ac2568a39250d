"""Classes of authentication context (SAML authn context 3.4): what a sign-in reached, and what an application asks.

The evidence is that of :mod:`pools.services.assurance`. What a provider upstream only tells of its own proofs reaches
nothing; the pool's level, for which an operator lets it stand, does. SAML has no class for a passkey.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pools.services import assurance

CLASSES: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
UNSPECIFIED: Final = f"{CLASSES}unspecified"
PASSWORD: Final = f"{CLASSES}Password"
PASSWORD_PROTECTED: Final = f"{CLASSES}PasswordProtectedTransport"
TIME_SYNC_TOKEN: Final = f"{CLASSES}TimeSyncToken"
REFEDS_MFA: Final = "https://refeds.org/profile/mfa"
STRENGTH: Final = (UNSPECIFIED, PASSWORD, PASSWORD_PROTECTED, TIME_SYNC_TOKEN, REFEDS_MFA)
"""From weak to strong. Whatever else is asked for is none of ours, and neither weaker nor stronger."""
MULTIPLE: Final = 2
"""The level of more than one factor."""
BY_METHOD: Mapping[str, Collection[str]] = {
    assurance.PASSWORD: (PASSWORD_PROTECTED, PASSWORD),
    assurance.CODE: (TIME_SYNC_TOKEN,),
}
"""What each proof reaches by itself. A password over TLS is one that also reaches what asks for less."""


@dataclass(frozen=True, slots=True)
class Requested:
    """The classes of which an application wants one, by a comparison (SAML core 3.3.2.2.1); nothing of nothing."""

    classes: tuple[str, ...] = ()
    comparison: str = "exact"


NOTHING: Final = Requested()


def reached(methods: Collection[str]) -> list[str]:
    """Return all classes that a sign-in's proofs reach, the strongest first."""
    found = {UNSPECIFIED, *(each for method in methods for each in BY_METHOD.get(method, ()))}
    if assurance.level(methods) >= MULTIPLE:
        found.add(REFEDS_MFA)
    return sorted(found, key=STRENGTH.index, reverse=True)


def context_class(methods: Collection[str], requested: Requested = NOTHING) -> str:
    """Return the class to tell of a sign-in: the strongest that is reached and satisfies what an application asks.

    Empty where none does: the answer is ``NoAuthnContext``, or another factor first.
    """
    return next((each for each in reached(methods) if satisfies(each, requested)), "")


def can_be_reached(requested: Requested) -> bool:
    """Say whether there is a class, of those that any proofs reach here, which satisfies what an application asks."""
    return any(satisfies(each, requested) for each in STRENGTH)


def satisfies(reached: str, requested: Requested) -> bool:
    """Say whether a class is what an application asks for.

    Raises:
        KeyError: the comparison is none of :data:`COMPARISONS`.

    """
    return not requested.classes or COMPARISONS[requested.comparison](reached, requested.classes)


def strengths(classes: Sequence[str]) -> list[int]:
    """Return how strong those are of which that can be said."""
    return [STRENGTH.index(each) for each in classes if each in STRENGTH]


def is_exact(reached: str, classes: Sequence[str]) -> bool:
    """Say whether it is one of them."""
    return reached in classes


def is_minimum(reached: str, classes: Sequence[str]) -> bool:
    """Say whether it is as strong as one of them."""
    return any(STRENGTH.index(reached) >= each for each in strengths(classes))


def is_better(reached: str, classes: Sequence[str]) -> bool:
    """Say whether it is stronger than each of them; than one of unknown strength nothing is."""
    known = strengths(classes)
    return len(known) == len(classes) and STRENGTH.index(reached) > max(known)


def is_maximum(reached: str, classes: Sequence[str]) -> bool:
    """Say whether it is no stronger than one of them."""
    return any(STRENGTH.index(reached) <= each for each in strengths(classes))


COMPARISONS: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "exact": is_exact,
    "minimum": is_minimum,
    "better": is_better,
    "maximum": is_maximum,
}
