"""The pools that these tests share."""

from __future__ import annotations

import pytest

from tests.hosted.world import Visitor, World
from tests.live import Live


@pytest.fixture(scope="session")
def world(live: Live) -> World:
    """Return a pool whose people sign in by e-mail address, a second factor optional."""
    return World(live)


@pytest.fixture(scope="session")
def by_username(live: Live) -> World:
    """Return a pool whose people sign in by a username, and whose schema requires more of them."""
    return World(
        live,
        mfa="OFF",
        by_email=False,
        Schema=[{"Name": "email", "Required": True}, {"Name": "given_name", "Required": True}],
    )


@pytest.fixture(scope="session")
def strict(live: Live) -> World:
    """Return a pool that requires a second factor."""
    return World(live, mfa="ON")


@pytest.fixture(scope="session")
def texting(live: Live) -> World:
    """Return a pool whose people may have an authenticator, codes by text message, or both."""
    return World(live, by_sms=True)


@pytest.fixture(scope="session")
def strict_texting(live: Live) -> World:
    """Return a pool that requires either."""
    return World(live, mfa="ON", by_sms=True)


@pytest.fixture
def visitor(world: World) -> Visitor:
    """Return a browser without cookies."""
    return world.visitor()
