"""Accounts by constant statements: what is read is what the ORM reads, and a name has one owner."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from identity.foundation import clock
from pools.models import SignInName, User, UserPool, account_rows
from pools.models.user import Status
from pools.services.people import users
from tests import factories


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    return factories.make_pool(alias_attributes=["email", "phone_number", "preferred_username"])


def told(user: User | None) -> dict[str, object]:
    """Return all that a row holds."""
    assert user is not None
    return {field.attname: getattr(user, field.attname) for field in User._meta.concrete_fields}


def test_a_user_is_what_the_orm_reads(pool: UserPool) -> None:
    made = factories.make_user(pool, "alice", email="a@example.com", email_verified="true", nickname="Al")
    expected = told(User.objects.get(pk=made.pk))

    assert list(expected) == account_rows.FIELDS
    assert expected["attributes"] == {"nickname": "Al"}
    assert told(account_rows.find_user(pool.pk, name="alice")) == expected
    assert told(account_rows.find_user(pool.pk, name="a@example.com")) == expected
    for name in ("alice", "a@example.com"):
        assert told(account_rows.find_anybody(pool.pk, name, clock.now())) == expected
    assert told(account_rows.find_user(pool.pk, sub=made.sub)) == expected
    assert told(account_rows.find_user(pool.pk, sub=str(made.sub).upper(), name="nobody")) == expected
    with transaction.atomic():
        assert told(account_rows.lock_user(pool.pk, made.id)) == expected


def test_a_user_without_addresses_has_none_by_either_way(pool: UserPool) -> None:
    made = told(User.objects.get(pk=factories.make_user(pool, "alice").pk))

    assert told(account_rows.find_user(pool.pk, name="alice")) == made
    assert told(account_rows.find_anybody(pool.pk, "alice", clock.now())) == made
    assert (made["email"], made["email_verified"]) == (None, None)


def test_nobody_is_found_of_another_pool_or_when_deleted(pool: UserPool) -> None:
    made, other = factories.make_user(pool, "alice"), factories.make_pool()

    for pool_id in (other.pk, pool.pk):
        assert account_rows.find_user(pool_id, name="") is None
        assert account_rows.find_anybody(pool_id, "nobody", clock.now()) is None
        assert account_rows.find_user(pool_id, name="nobody", sub=uuid.uuid4()) is None
    assert account_rows.find_user(other.pk, name="alice", sub=made.sub) is None
    assert account_rows.find_anybody(other.pk, "alice", clock.now()) is None
    assert account_rows.lock_user(other.pk, made.id) is None
    User.objects.filter(pk=made.pk).update(deleted_at=clock.now())
    assert account_rows.find_user(pool.pk, name="alice", sub=made.sub) is None
    assert account_rows.find_anybody(pool.pk, "alice", clock.now()) is None
    assert account_rows.lock_user(pool.pk, made.id) is None


@pytest.mark.parametrize(("taken", "is_made"), [("new", False), ("new@example.com", True), ("", True)])
def test_a_new_user_gets_the_names_that_are_free(pool: UserPool, taken: str, is_made: bool) -> None:
    if taken:
        SignInName.objects.create(pool=pool, user=factories.make_user(pool), name=taken, kind="preferred_username")
    user = users.new(pool, "new", {"email": "new@example.com", "nickname": "N"}, Status.CONFIRMED)
    wanted = {"new": "username", "new@example.com": "email"}

    free = account_rows.make_user(user, wanted)

    assert free == {kind for name, kind in wanted.items() if name != taken}
    assert User.objects.filter(pk=user.pk).exists() is is_made
    if is_made:
        assert told(User.objects.get(pk=user.pk)) == told(user)


def test_a_name_is_taken_by_its_owner_and_by_whose_sub_it_is(pool: UserPool) -> None:
    made = factories.make_user(pool, "alice")
    sub = str(made.sub)

    for name, asked, expected in (("alice", None, True), ("bob", None, False), (sub, sub, True), (sub, None, False)):
        assert account_rows.is_taken(pool.pk, name, sub=asked, but=None) is expected
        assert account_rows.is_taken(pool.pk, name, sub=asked, but=uuid.uuid4()) is expected
        assert account_rows.is_taken(pool.pk, name, sub=asked, but=made.id) is False
