"""The pool that these tests share, and another one beside it."""

from __future__ import annotations

import pytest

from tests.live import Live
from tests.oidc.world import World


@pytest.fixture(scope="session")
def world(live: Live) -> World:
    """Return a pool with clients and a person."""
    return World(live)


@pytest.fixture(scope="session")
def neighbour(live: Live) -> World:
    """Return another pool of the same installation."""
    return World(live)
