"""The pool that these tests share, and another one beside it."""

from __future__ import annotations

import pytest

from tests.live import Live
from tests.oidc.party import Party
from tests.oidc.world import FULL, Person, World


@pytest.fixture(scope="session")
def world(live: Live) -> World:
    """Return a pool with clients and a person."""
    return World(live)


@pytest.fixture(scope="session")
def other_world(live: Live) -> World:
    """Return another pool of the same installation."""
    return World(live)


@pytest.fixture(scope="session")
def whole(world: World) -> Person:
    """Return a person of whom everything is known."""
    return world.person(**FULL)


@pytest.fixture(scope="session")
def party(world: World, whole: Person) -> Party:
    """Return a relying party of a strict app, for a person of whom everything is known."""
    return Party(world, world.strict, whole)
