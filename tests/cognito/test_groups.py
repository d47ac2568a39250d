"""Groups through boto3: what they are, who is in them, what tokens say of it."""

from __future__ import annotations

from typing import Any

import pytest

from pools.services.pools import signing_keys
from tests.cognito.conftest import World, refused

ROLE = "arn:aws:iam::000000000000:role/Member"
INVALID, NOT_FOUND = "InvalidParameterException", "ResourceNotFoundException"


def make(world: World, name: str, **given: Any) -> dict[str, Any]:
    """Make a group."""
    found: dict[str, Any] = world.idp.create_group(UserPoolId=world.pool_id, GroupName=name, **given)["Group"]
    return found


def told(world: World, name: str) -> dict[str, Any]:
    """Return a group as it is told."""
    found: dict[str, Any] = world.idp.get_group(UserPoolId=world.pool_id, GroupName=name)["Group"]
    return found


def join(world: World, person: str, group: str) -> None:
    """Put somebody into a group."""
    world.idp.admin_add_user_to_group(UserPoolId=world.pool_id, Username=person, GroupName=group)


def claims(world: World, person: str) -> dict[str, Any]:
    """Return what the next ID token says."""
    return dict(signing_keys.unverified_claims(world.tokens(person)["IdToken"]))


def names(page: dict[str, Any]) -> list[str]:
    """Return the groups of a page."""
    return [each["GroupName"] for each in page["Groups"]]


def test_a_group_made_by_name_alone_says_no_more(world: World) -> None:
    made = make(world, "plain")

    assert made.keys() == {"GroupName", "UserPoolId", "CreationDate", "LastModifiedDate"}
    assert told(world, "plain") == made


def test_a_group_is_made_changed_and_deleted(world: World) -> None:
    made = make(world, "staff", Description="Staff", RoleArn=ROLE, Precedence=0)
    assert (made["Description"], made["RoleArn"], made["Precedence"]) == ("Staff", ROLE, 0)
    with refused("GroupExistsException", "A group with the name already exists."):
        make(world, "staff")

    changed = world.idp.update_group(UserPoolId=world.pool_id, GroupName="staff", Precedence=7)["Group"]
    assert changed == {**made, "Precedence": 7, "LastModifiedDate": changed["LastModifiedDate"]}
    assert changed["LastModifiedDate"] > made["LastModifiedDate"]
    emptied = world.idp.update_group(UserPoolId=world.pool_id, GroupName="staff", Description="")["Group"]
    assert "Description" not in emptied
    assert told(world, "staff") == emptied

    world.idp.delete_group(UserPoolId=world.pool_id, GroupName="staff")

    for operation in (
        world.idp.get_group,
        world.idp.delete_group,
        world.idp.update_group,
        world.idp.list_users_in_group,
    ):
        with refused(NOT_FOUND, "Group not found."):
            operation(UserPoolId=world.pool_id, GroupName="staff")


@pytest.mark.parametrize(
    "given",
    [
        {"GroupName": "a b"},
        {"GroupName": ""},
        {"GroupName": "g" * 129},
        {"Description": "d" * 2049},
        {"RoleArn": "not a role, but long enough"},
        {"Precedence": -1},
    ],
)
def test_what_is_no_group_is_refused_and_changes_nothing(world: World, given: dict[str, Any]) -> None:
    name = given.get("GroupName", "malformed")
    others = {key: value for key, value in given.items() if key != "GroupName"}
    before = world.idp.list_groups(UserPoolId=world.pool_id)["Groups"]

    with refused(INVALID):
        make(world, name, **others)

    assert world.idp.list_groups(UserPoolId=world.pool_id)["Groups"] == before
    if others:
        make(world, "malformed")
        kept = told(world, "malformed")
        with refused(INVALID):
            world.idp.update_group(UserPoolId=world.pool_id, GroupName="malformed", **others)
        assert told(world, "malformed") == kept
        world.idp.delete_group(UserPoolId=world.pool_id, GroupName="malformed")


def test_groups_come_in_pages_that_neither_skip_nor_repeat(live_world: World) -> None:
    world = live_world
    for number in range(5):
        make(world, f"g{number}")

    first = world.idp.list_groups(UserPoolId=world.pool_id, Limit=2)
    world.idp.delete_group(UserPoolId=world.pool_id, GroupName="g0")
    second = world.idp.list_groups(UserPoolId=world.pool_id, Limit=2, NextToken=first["NextToken"])
    third = world.idp.list_groups(UserPoolId=world.pool_id, Limit=2, NextToken=second["NextToken"])

    assert (names(first), names(second), names(third)) == (["g0", "g1"], ["g2", "g3"], ["g4"])
    assert "NextToken" not in third
    assert len(names(world.idp.list_groups(UserPoolId=world.pool_id, Limit=0))) == 4
    with refused(INVALID, "Invalid pagination token given."):
        world.idp.list_groups(UserPoolId=world.pool_id, NextToken="forged")


def test_who_is_in_a_group_comes_in_pages_as_users_do(live_world: World) -> None:
    world = live_world
    make(world, "members")
    people = [world.person() for _ in range(3)]
    for person in people:
        join(world, person, "members")
    join(world, people[0], "members")

    pages = list(
        world.idp.get_paginator("list_users_in_group").paginate(
            UserPoolId=world.pool_id, GroupName="members", PaginationConfig={"PageSize": 2}
        )
    )

    assert [len(page["Users"]) for page in pages] == [2, 1]
    found = {user["Username"]: user for page in pages for user in page["Users"]}
    assert found.keys() == set(people)
    listed = world.idp.list_users(UserPoolId=world.pool_id)["Users"]
    assert sorted(found) == sorted(user["Username"] for user in listed)
    assert all(found[user["Username"]] == user for user in listed)


def test_members_roles_and_precedence_are_in_the_next_token(world: World) -> None:
    person = world.person()
    other = ROLE + "2"
    make(world, "first", RoleArn=ROLE, Precedence=1)
    make(world, "second", RoleArn=other, Precedence=2)
    assert "cognito:groups" not in claims(world, person)

    join(world, person, "second")
    join(world, person, "first")
    said = claims(world, person)
    assert (said["cognito:groups"], said["cognito:preferred_role"]) == (["first", "second"], ROLE)

    world.idp.update_group(UserPoolId=world.pool_id, GroupName="second", Precedence=0)
    said = claims(world, person)
    assert (said["cognito:preferred_role"], sorted(said["cognito:roles"])) == (other, sorted([ROLE, other]))

    world.idp.admin_remove_user_from_group(UserPoolId=world.pool_id, Username=person, GroupName="second")
    world.idp.admin_remove_user_from_group(UserPoolId=world.pool_id, Username=person, GroupName="second")
    assert claims(world, person)["cognito:groups"] == ["first"]

    world.idp.delete_group(UserPoolId=world.pool_id, GroupName="first")
    assert "cognito:groups" not in claims(world, person)
    make(world, "first")
    assert world.idp.list_users_in_group(UserPoolId=world.pool_id, GroupName="first")["Users"] == []


def test_members_are_users_and_groups_of_the_pool(world: World) -> None:
    make(world, "closed")
    person = world.person()

    for operation in (world.idp.admin_add_user_to_group, world.idp.admin_remove_user_from_group):
        with refused("UserNotFoundException", "User does not exist."):
            operation(UserPoolId=world.pool_id, Username="nobody", GroupName="closed")
        with refused(NOT_FOUND, "Group not found."):
            operation(UserPoolId=world.pool_id, Username=person, GroupName="none")


@pytest.fixture
def live_world(new_world: Any) -> World:  # noqa: ANN401 - a maker
    """Return a pool of a test's own."""
    made: World = new_world()
    return made
