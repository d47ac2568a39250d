"""What remembering passwords costs, and whom: nobody where it is off, nobody who signs in, and no transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock, later
from identity.foundation.task_names import Task
from pools.models import Password, PasswordHistory, User, UserPool
from pools.services import housekeeping
from pools.services.people import password_history, passwords, srp, users
from pools.services.pools import user_pools
from pools.services.sign_in import flows, machine
from tests import factories
from tests.factories import BY, PASSWORD

NEW, OTHER = "Another-horse-2", "Third-horse-33"


def remembering(size: int) -> dict[str, Any]:
    return {"policies": {"password_policy": {"minimum_length": 8, "password_history_size": size}}}


def make_person(pool: UserPool) -> User:
    """Make somebody with a password, and no other before it."""
    name = f"person{factories.number()}"
    return users.create(pool, name, attributes={}, temporary_password=PASSWORD, message="suppress", by=BY)


def said(job: Callable[[], object]) -> list[str]:
    """Return what a job says to the database about remembered passwords."""
    with CaptureQueriesContext(connection) as asked:
        job()
    return [query["sql"] for query in asked if "password_history" in query["sql"].replace("password_history_s", "")]


@pytest.mark.parametrize("size", [0, 3])
def test_only_who_sets_a_password_where_they_are_remembered_pays(transactional_db: None, size: int) -> None:
    pool = factories.make_pool(**remembering(size))
    client = factories.make_client(pool)
    person = make_person(pool)

    setting = said(lambda: passwords.admin_set(pool, person, NEW, permanent=True, by=BY))
    signing_in = said(
        lambda: machine.begin(
            flows.by_api(client, "USER_PASSWORD_AUTH"), username=person.username, answers={"password": NEW}, by=BY
        )
    )

    assert bool(setting) is bool(size)
    assert signing_in == []


def test_no_verifier_is_reckoned_inside_a_transaction(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = factories.make_pool(**remembering(3))
    person = make_person(pool)
    inside = list[bool]()
    reckon = srp.verifier

    def watched(*arguments: Any) -> int:
        inside.append(connection.in_atomic_block)
        return reckon(*arguments)

    monkeypatch.setattr(srp, "verifier", watched)
    passwords.change(pool, person, previous=PASSWORD, proposed=NEW, by=BY)

    assert inside == [False]


def test_the_salt_and_so_the_hash_of_a_password_stays_for_good(transactional_db: None) -> None:
    pool = factories.make_pool(**remembering(3))
    person = make_person(pool)
    first = passwords.hashed(pool, person.username, NEW)
    passwords.admin_set(pool, person, NEW, permanent=True, by=BY)

    again = passwords.hashed(pool, person.username, NEW)

    assert again.remembered.keyed_hash == first.remembered.keyed_hash
    assert again.argon2 != first.argon2
    assert passwords.hashed(pool, f"{person.username}x", NEW).remembered.keyed_hash != first.remembered.keyed_hash


def kept(pool: UserPool, person: User) -> int:
    return PasswordHistory.objects.filter(pool_id=pool.pk, user_id=person.id).count()


def test_what_was_remembered_before_it_was_switched_off_is_void_and_purged(transactional_db: None) -> None:
    pool, other = factories.make_pool(**remembering(3)), factories.make_pool(**remembering(3))
    person, of_other = make_person(pool), make_person(other)
    passwords.admin_set(pool, person, NEW, permanent=True, by=BY)
    was = pool.password_history_since

    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        pool = user_pools.update(pool, remembering(0), by=BY)
        assert pool.password_history_since is None
        pool = user_pools.update(pool, remembering(3), by=BY)
        assert pool.password_history_since == clock.now() != was
        pool = user_pools.update(pool, remembering(5), by=BY)
        assert pool.password_history_since == clock.now()
        present = passwords.hashed(pool, person.username, NEW).remembered
        before = passwords.hashed(pool, person.username, PASSWORD).remembered
        assert password_history.refusal(person, present) is not None
        assert password_history.refusal(person, before) is None
        assert housekeeping.purge_password_history() == 2

    assert (kept(pool, person), kept(other, of_other)) == (0, 1)


def test_switching_it_off_asks_for_the_purge_at_once(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = factories.make_pool(**remembering(3))
    asked = list[object]()
    monkeypatch.setattr(later, "after_commit", lambda *given, **more: asked.append(given))

    user_pools.update(pool, {"pool_name": "Other"}, by=BY)
    user_pools.update(pool, remembering(1), by=BY)
    assert (Task.PURGE,) not in asked
    user_pools.update(pool, remembering(0), by=BY)

    assert asked.count((Task.PURGE,)) == 1


def test_a_password_that_is_taken_away_is_remembered_no_more(transactional_db: None) -> None:
    pool = factories.make_pool(**remembering(3))
    person, other = make_person(pool), make_person(pool)

    passwords.remove(person)

    assert not Password.objects.filter(user=person).exists()
    assert (kept(pool, person), kept(pool, other)) == (0, 1)
