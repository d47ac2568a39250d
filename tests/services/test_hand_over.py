"""Addresses that change hands at the same moment: whoever meets waits, and nobody dies of a deadlock."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

import psycopg
import pytest
from django.db import connection, transaction

from identity.foundation import errors
from pools.models import SignInName, User, UserPool
from pools.services import access, audit, codes
from pools.services.people import attributes, sign_in_names, users
from pools.services.sign_up import sign_up
from tests import factories
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR, Meet, at_once

EMAILS = ("one@example.com", "two@example.com")
PHONES = ("+4930111111", "+4930222222")
CLAIM = "INSERT INTO sign_in_name (id, pool_id, name, user_id, kind) VALUES (%s, %s, %s, %s, %s)"
BLOCKED = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())
"""


def owner_of(pool: UserPool, name: str) -> str:
    """Return the username of whose name it is."""
    return SignInName.objects.select_related("user").get(pool=pool, name=name).user.username


def test_two_new_accounts_that_take_addresses_of_the_same_two_people(alias_pool: UserPool, meet: Meet) -> None:
    verified = {"email_verified": "true", "phone_number_verified": "true"}
    for name, email, phone in zip("ab", EMAILS, PHONES, strict=True):
        factories.make_user(alias_pool, name, email=email, phone_number=phone, **verified)
    wanted = [{"email": EMAILS[0], "phone_number": PHONES[1]}, {"email": EMAILS[1], "phone_number": PHONES[0]}]
    prepared = [{**each, **verified} for each in wanted]
    meet(audit, "record")

    outcomes = at_once(
        2,
        lambda n: (
            users.create(
                alias_pool, f"new{n}", attributes=prepared[n], message="suppress", force_alias=True, by=BY
            ).username
        ),
    )

    assert sorted(map(str, outcomes)) == ["new0", "new1"]
    owners = [owner_of(alias_pool, name) for name in (*EMAILS, *PHONES)]
    assert owners == ["new0", "new1", "new1", "new0"]


def test_two_people_who_take_an_address_from_one_another(alias_pool: UserPool, meet: Meet) -> None:
    app = factories.make_client(alias_pool)
    email, phone = EMAILS[0], PHONES[0]
    for name, wanted, owned in (("a", {"email": email}, "phone_number"), ("b", {"phone_number": phone}, "email")):
        sign_up.sign_up(app, name, password=PASSWORD, attributes=wanted, by=VISITOR)
        given = {owned: {"email": email, "phone_number": phone}[owned], f"{owned}_verified": "true"}
        attributes.admin_update(alias_pool, access.user(alias_pool, name), given, by=BY)
    with transaction.atomic():
        sent = [
            codes.issue(alias_pool, User.objects.get(username=name).id, codes.Purpose.SIGN_UP, to)
            for name, to in (("a", email), ("b", phone))
        ]
    meet(sign_up, "_confirm")

    outcomes = at_once(2, lambda n: sign_up.confirm(app, "ab"[n], code=sent[n], force_alias=True, by=VISITOR).username)

    assert sorted(map(str, outcomes)) == ["a", "b"]
    assert [owner_of(alias_pool, name) for name in (email, phone)] == ["a", "b"]


def test_an_owner_who_gives_an_address_up_while_it_is_taken(alias_pool: UserPool, meet: Meet) -> None:
    owner = factories.make_user(alias_pool, "a", email=EMAILS[0], email_verified="true")
    taker = {"email": EMAILS[0], "email_verified": "true"}
    moved = {"email": EMAILS[1], "email_verified": "true"}
    jobs: list[Callable[[], object]] = [
        lambda: users.create(alias_pool, "b", attributes=taker, message="suppress", force_alias=True, by=BY),
        lambda: attributes.admin_update(alias_pool, owner, moved, by=BY),
    ]
    meet(sign_in_names, "usable")

    outcomes = at_once(2, lambda n: jobs[n]())

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert [owner_of(alias_pool, name) for name in EMAILS] == ["b", "a"]


def test_two_people_whose_addresses_are_swapped_are_both_refused(alias_pool: UserPool, meet: Meet) -> None:
    people = [
        factories.make_user(alias_pool, name, email=email, email_verified="true")
        for name, email in zip("ab", EMAILS, strict=True)
    ]
    meet(SignInName.objects, "bulk_create")

    outcomes = at_once(
        2,
        lambda n: attributes.admin_update(
            alias_pool, people[n], {"email": EMAILS[1 - n], "email_verified": "true"}, by=BY
        ),
    )

    assert [type(outcome) for outcome in outcomes] == [errors.AliasExists] * 2
    assert [owner_of(alias_pool, email) for email in EMAILS] == ["a", "b"]


@pytest.mark.usefixtures("patient_gate")
def test_two_new_accounts_that_want_one_anothers_names_wait_for_nobody_twice(alias_pool: UserPool) -> None:
    """Both meet at a name that a third transaction holds and gives up: whoever has it gets the other, too."""
    names = ("ann", "bea")
    owner = factories.make_user(alias_pool)
    held = SignInName(pool=alias_pool, user=owner, kind="preferred_username", name=names[0])
    with psycopg.connect(**connection.get_connection_params()) as beside:
        beside.execute(CLAIM, [held.id, held.pool_id, held.name, held.user_id, held.kind])

        def make(n: int) -> object:
            if n == len(names):
                wait_for_blocked(2)
                beside.rollback()
                return None
            given = {"preferred_username": names[1 - n]}
            return users.create(alias_pool, names[n], attributes=given, message="suppress", by=BY).username

        outcomes = at_once(3, make)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "UsernameExists", "str"]


def wait_for_blocked(count: int) -> None:
    """Wait until so many connections wait for another, or five seconds."""
    until = monotonic() + 5
    with connection.cursor() as cursor:
        while monotonic() < until:
            cursor.execute(BLOCKED)
            if (cursor.fetchone() or [0])[0] >= count:
                return
            sleep(0.02)
