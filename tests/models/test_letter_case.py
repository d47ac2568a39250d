"""What a migration makes of values in capitals: pools where case does not matter lose them, nobody else anything."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock
from pools.models import OneTimeCode, User, UserPool
from pools.services import access
from tests import factories
from tests.architecture.source import ROOT

TYPED = ("Erin@Example.com", "Érin")
KEPT = ("erin@example.com", "érin")
[FILE] = (ROOT / "pools" / "migrations").glob("*_letter_case.py")


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the migration, with batches of two."""
    module = importlib.import_module(f"pools.migrations.{FILE.stem}")
    monkeypatch.setattr(module, "BATCH", 2)
    return module


@pytest.fixture
def flatten(migration: ModuleType) -> Callable[[], list[str]]:
    """Return what writes the rows, and tells the statements that wrote."""

    def run() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            migration.flatten(apps, SimpleNamespace(connection=connection))
        return [each["sql"].replace("-", "") for each in asked if each["sql"].lstrip().startswith("UPDATE")]

    return run


def pool_of(*, case_sensitive: bool) -> UserPool:
    """Return a pool with aliases."""
    return factories.make_pool(
        alias_attributes=["email", "preferred_username"], username_configuration={"case_sensitive": case_sensitive}
    )


def typed(pool: UserPool, number: int, *, deleted: bool = False) -> User:
    """Return somebody whose address and name were written in capitals, and whose code goes there."""
    address, called = f"{number}{TYPED[0]}", f"{number}{TYPED[1]}"
    user = factories.make_user(pool, f"user{number}", email=address, email_verified="true", preferred_username=called)
    rows = User.objects.filter(pk=user.pk)
    rows.update(email=address, preferred_username=called, deleted_at=clock.now() if deleted else None)
    OneTimeCode.objects.create(
        pool=pool, subject=user.id, purpose="recovery", hashed=b"x", destination=address, expires_at=clock.now()
    )
    return rows.get()


def held(user: User) -> tuple[Any, ...]:
    """Return what is written of somebody."""
    row = User.objects.filter(pk=user.pk).values_list("email", "preferred_username", "modified_at").get()
    return (*row, OneTimeCode.objects.get(subject=user.id).destination)


def test_pools_where_case_does_not_matter_lose_their_capitals(db: None, flatten: Callable[[], list[str]]) -> None:
    pool, counting = pool_of(case_sensitive=False), pool_of(case_sensitive=True)
    people = [typed(pool, number) for number in range(5)]
    factories.make_user(pool, "without")
    others = [typed(counting, 1), typed(pool, 9, deleted=True)]
    before = [held(user) for user in others]

    flatten()

    for number, user in enumerate(people):
        address, called = (f"{number}{value}" for value in KEPT)
        assert held(user) == (address, called, user.modified_at, address)
        for name in (address.upper(), called.upper()):
            assert access.user(pool, name).id == user.id
    assert [held(user) for user in others] == before
    assert flatten() == []  # a second try has nothing to write


def test_who_has_no_capitals_is_not_written(db: None, flatten: Callable[[], list[str]]) -> None:
    pool = pool_of(case_sensitive=False)
    for number in range(3):
        factories.make_user(pool, f"user{number}", email=f"{number}@example.com")
    mixed = typed(pool, 3)

    written = flatten()

    assert any(mixed.id.hex in statement for statement in written)
    for user in User.objects.filter(pool=pool).exclude(pk=mixed.pk):
        assert not any(user.id.hex in statement for statement in written)


def test_a_name_that_small_letters_would_change_is_left(db: None, flatten: Callable[[], list[str]]) -> None:
    user = factories.make_user(pool_of(case_sensitive=False), "ann", preferred_username="\u03f9")

    assert flatten() == []
    assert User.objects.get(pk=user.pk).preferred_username == "\u03f9"
