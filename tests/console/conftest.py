"""The world that the console's tests share."""

from __future__ import annotations

import os

import pytest

from tests.console.world import World
from tests.live import Live


@pytest.fixture(scope="session")
def world(live: Live) -> World:
    """Return two pools and an operator who is signed in."""
    # Chromium's driver keeps an event loop in this thread; Django would refuse to be asked beside it.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    return World(live)
