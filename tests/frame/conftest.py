"""What the tests of the frame share: an installation that answers at production's names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from identity import middleware
from pools.services import configuration

BASE, CONSOLE = "id.example.com", "console.example.com"


@pytest.fixture
def production(settings: Settings) -> Iterator[None]:
    """Answer at the names of a production installation."""
    settings.MODE = "production"
    settings.BASE_URL, settings.CONSOLE_URL = f"https://{BASE}", f"https://{CONSOLE}"
    for held in (middleware.own_hosts, middleware.console_host):
        held.cache_clear()
    configuration.cache.forget_everything()
    yield
    for held in (middleware.own_hosts, middleware.console_host):
        held.cache_clear()
