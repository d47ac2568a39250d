"""Levels of assurance: what ``acr`` calls them in a pool, and which of them proofs reach. Pure.

There are four, and which proofs make one is fixed; a pool gives names. In whose tokens ``acr`` is, ``openid`` says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from identity.foundation.errors import Invalid
from pools.models import UserPool

Level = Mapping[str, str]
DEFAULT_NAMES = {f"Level{level}": f"urn:cognito:loa:{level}" for level in range(1, 5)}
"""Cognito's own names, of levels that a pool does not name. AWS: API_CreateUserPool, AcrConfiguration."""
REACHED = ("Level1", "Level2")
"""The levels that sign-ins reach here, by how many different proofs they took: one, or more."""
NAME = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,64}")


def problems(value: Mapping[str, Level], field: str) -> Iterator[Invalid]:
    """Yield what keeps names from being those of a pool's levels: they are unique, with those that are left alone."""
    given = {level: about.get("acr_value", "") for level, about in value.items()}
    if not given.keys() <= DEFAULT_NAMES.keys():
        yield Invalid("AcrConfiguration names Level1, Level2, Level3 and Level4.", field=field, code="acr_level")
    elif not all(NAME.fullmatch(name) for name in given.values()):
        text = "AcrValue holds 1 to 64 characters of a URL or a URN."
        yield Invalid(text, field=field, code="acr_name")
    elif len({*(DEFAULT_NAMES | given).values()}) < len(DEFAULT_NAMES):
        text = "AcrValue must be unique across all levels of the user pool, including default names."
        yield Invalid(text, field=field, code="acr_unique")


def kept(value: Mapping[str, Level]) -> dict[str, Level]:
    """Return what is kept of names: those that differ from what holds anyway."""
    return {level: about for level, about in value.items() if about["acr_value"] != DEFAULT_NAMES[level]}


def are_named(pool: UserPool) -> bool:
    """Say whether a pool gives any level a name of its own."""
    return bool(pool.configuration.get("acr_configuration"))


def names(pool: UserPool) -> dict[str, str]:
    """Return the names of all four levels of a pool."""
    own = pool.configuration.get("acr_configuration") or {}
    return DEFAULT_NAMES | {level: about["acr_value"] for level, about in own.items()}


def described(pool: UserPool) -> dict[str, Level]:
    """Return the same as Amazon describes it."""
    return {level: {"acr_value": name} for level, name in names(pool).items()}


def reached(pool: UserPool) -> tuple[str, ...]:
    """Return the names that tokens of a pool may tell, the lowest first."""
    found = names(pool)
    return tuple(found[level] for level in REACHED)


def of(pool: UserPool, methods: Collection[str]) -> str:
    """Return the name of the level that these proofs of a sign-in reach; there is at least one."""
    return reached(pool)[min(len(set(methods)), len(REACHED)) - 1]
