"""A pool, a client and a person for each test."""

from __future__ import annotations

import pytest

from identity.foundation.actor import Actor
from pools.models import AppClient, User, UserPool
from pools.services import configuration
from tests import factories

BY = Actor.visitor(address="192.0.2.1")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Start each test with nothing held: rows of the last one are gone."""
    configuration.cache.forget_everything()


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    """Return a pool with optional TOTP."""
    return factories.make_pool(mfa="OPTIONAL")


@pytest.fixture
def client(pool: UserPool) -> AppClient:
    """Return a public client of the pool."""
    return factories.make_client(pool)


@pytest.fixture
def person(pool: UserPool) -> User:
    """Return a confirmed person of the pool."""
    return factories.make_user(pool, "alice", email="alice@example.com", email_verified="true")
