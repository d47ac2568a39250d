"""Groups: once in each, the weightiest first."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import errors
from pools.models import AuditEvent, Group, Membership, UserPool
from pools.services.people import groups
from tests import factories
from tests.factories import BY
from tests.services.conftest import at_once

ROLE = "arn:aws:iam::000000000000:role/"


def test_groups_come_by_precedence_and_those_without_last(pool: UserPool) -> None:
    user = factories.make_user(pool)
    for name, precedence in (("none", None), ("third", 5), ("first", 0), ("second", 1)):
        groups.create(pool, name, precedence=precedence, by=BY)
        groups.add(pool, user, name, by=BY)

    assert [group.name for group in groups.of(user)] == ["first", "second", "third", "none"]


def test_pages_of_a_users_groups_take_one_query_however_many_there_are(pool: UserPool) -> None:
    user, other = factories.make_user(pool), factories.make_user(pool)
    for number in range(12):
        groups.create(pool, f"g{number:02d}", precedence=number % 3 or None, by=BY)
        groups.add(pool, user, f"g{number:02d}", by=BY)
        groups.add(pool, other, f"g{number:02d}", by=BY)
    found: list[Group] = []
    token: str | None = None
    queries: list[int] = []

    while len(queries) < 4:
        with CaptureQueriesContext(connection) as captured:
            page = groups.page_of(pool, user, 3, token)
        queries.append(len(captured))
        found, token = [*found, *page.rows], page.token

    assert [group.name for group in found] == [group.name for group in groups.of(user)]
    assert (token, queries) == (None, [1] * 4)


def test_another_pools_user_has_no_groups_here(pool: UserPool, alias_pool: UserPool) -> None:
    user = factories.make_user(pool)
    groups.create(pool, "staff", by=BY)
    groups.add(pool, user, "staff", by=BY)

    assert groups.page_of(alias_pool, user, 60, None).rows == []
    assert len(groups.page_of(pool, user, 60, None).rows) == 1


def test_a_name_is_taken_once(pool: UserPool, alias_pool: UserPool) -> None:
    groups.create(pool, "staff", by=BY)
    groups.create(alias_pool, "staff", by=BY)

    with pytest.raises(errors.GroupExists, match=r"^A group with the name already exists"):
        groups.create(pool, "staff", by=BY)

    assert Group.objects.count() == 2


@pytest.mark.parametrize(
    "given",
    [{"name": ""}, {"name": "a b"}, {"name": "a" * 129}, {"role_arn": "role"}, {"precedence": -1}, {"name": "a\x00"}],
)
def test_malformed_groups_are_refused(pool: UserPool, given: dict[str, object]) -> None:
    with pytest.raises(errors.Invalid):
        groups.create(pool, **{"name": "staff", "by": BY, **given})  # type: ignore[arg-type]


def test_joining_twice_or_in_parallel_is_once(pool: UserPool) -> None:
    user = factories.make_user(pool)
    groups.create(pool, "staff", by=BY)

    outcomes = at_once(6, lambda _: groups.add(pool, user, "staff", by=BY))
    groups.add(pool, user, "staff", by=BY)

    assert outcomes == [None] * 6
    assert Membership.objects.count() == 1
    assert AuditEvent.objects.filter(tag="membership_added").count() == 1
    groups.remove(pool, user, "staff", by=BY)
    groups.remove(pool, user, "staff", by=BY)
    assert groups.of(user) == []
    assert AuditEvent.objects.filter(tag="membership_removed").count() == 1


def test_an_unknown_group_and_another_pools_user_are_refused(pool: UserPool, alias_pool: UserPool) -> None:
    user = factories.make_user(pool)
    groups.create(alias_pool, "staff", by=BY)

    with pytest.raises(errors.NotFound, match=r"^Group not found"):
        groups.add(pool, user, "staff", by=BY)
    with pytest.raises(errors.UserNotFound):
        groups.add(alias_pool, user, "staff", by=BY)
    assert not Membership.objects.exists()


@pytest.mark.parametrize(
    ("roles", "preferred"),
    [
        ([("a", 1), ("b", 2)], "a"),
        ([("a", 1), ("a", 1)], "a"),
        ([("a", 1), ("b", 1)], ""),
        ([("a", None), ("b", 9)], "b"),
        ([], ""),
    ],
)
def test_the_preferred_role_is_the_bests_if_they_agree(roles: list[tuple[str, int | None]], preferred: str) -> None:
    members = [
        Group(name=str(number), role_arn=ROLE + role, precedence=weight) for number, (role, weight) in enumerate(roles)
    ]

    assert groups.preferred_role(members) == (ROLE + preferred if preferred else "")


def test_adding_and_deleting_at_once_leave_nobody_in_a_group_that_is_gone(pool: UserPool) -> None:
    people = [factories.make_user(pool) for _ in range(4)]
    groups.create(pool, "staff", by=BY)

    def act(number: int) -> None:
        if number == 0:
            groups.delete(pool, "staff", by=BY)
        else:
            groups.add(pool, people[number - 1], "staff", by=BY)

    outcomes = at_once(5, act)

    assert {type(each) for each in outcomes} <= {type(None), errors.NotFound}
    assert not Membership.objects.exists()
    assert AuditEvent.objects.filter(tag="group_deleted").count() == 1


def test_changes_at_once_end_as_one_after_the_other(pool: UserPool) -> None:
    groups.create(pool, "staff", by=BY)
    changes: list[dict[str, Any]] = [{"precedence": 3}, {"description": "d"}]

    at_once(2, lambda number: groups.update(pool, "staff", changes=changes[number], by=BY))

    group = groups.named(pool, "staff")
    assert (group.precedence, group.description) == (3, "d")


def test_a_pool_has_at_most_so_many_groups(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUPS_OF_A_POOL", 2)
    for name in ("a", "b"):
        groups.create(pool, name, by=BY)

    with pytest.raises(errors.LimitExceeded):
        groups.create(pool, "c", by=BY)
