"""Users through boto3, as operators see them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.live import Live


def create(world: World, name: str = "", **more: Any) -> dict[str, Any]:
    made = world.idp.admin_create_user(
        **{
            "UserPoolId": world.pool_id,
            "Username": name or f"user-{secrets.token_hex(4)}",
            "MessageAction": "SUPPRESS",
            **more,
        }
    )
    user: dict[str, Any] = made["User"]
    return user


def test_an_operator_makes_a_user(world: World) -> None:
    made = create(world, UserAttributes=[{"Name": "email", "Value": "x@example.com"}])

    told = world.user(made["Username"])

    assert made["UserStatus"] == told["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert made["Enabled"] is told["Enabled"] is True
    assert named(made["Attributes"]) == named(told["UserAttributes"])
    assert set(named(made["Attributes"])) == {"sub", "email"}
    assert "Attributes" not in told
    assert "UserMFASettingList" not in told


def test_all_of_a_user_is_told(world: World) -> None:
    made = create(world, UserAttributes=[{"Name": "nickname", "Value": "Ann"}])

    told = world.idp.admin_get_user(UserPoolId=world.pool_id, Username=made["Username"])

    del told["ResponseMetadata"]
    assert told.pop("UserAttributes") == made.pop("Attributes")
    assert told == made


def test_a_user_is_found_by_name_and_sub(world: World) -> None:
    made = create(world)
    sub = named(made["Attributes"])["sub"]

    assert world.user(sub)["Username"] == made["Username"]
    for unknown in ("stranger", "x" * 128, "00000000-0000-4000-8000-000000000000"):
        with refused("UserNotFoundException", "User does not exist."):
            world.user(unknown)


def test_an_invitation_holds_name_and_password(world: World) -> None:
    name = f"guest-{secrets.token_hex(4)}"
    email = f"{name}@example.com"
    attributes = [{"Name": "email", "Value": email}]
    given = {"UserPoolId": world.pool_id, "Username": name, "DesiredDeliveryMediums": ["EMAIL"]}

    world.idp.admin_create_user(**given, UserAttributes=attributes, TemporaryPassword="Temporary-77")

    assert name in world.live.message(email)["body"]
    assert "Temporary-77" in world.live.message(email)["body"]
    assert world.sign_in(name, "Temporary-77")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    world.idp.admin_create_user(**given, MessageAction="RESEND", TemporaryPassword="Temporary-88")
    assert "Temporary-88" in world.live.message(email, count=2)["body"]
    assert world.sign_in(name, "Temporary-88")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    person = world.person()
    with refused("UnsupportedUserStateException"):
        world.idp.admin_create_user(UserPoolId=world.pool_id, Username=person, MessageAction="RESEND")
    with refused("UserNotFoundException"):
        world.idp.admin_create_user(UserPoolId=world.pool_id, Username="stranger", MessageAction="RESEND")


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        ({"TemporaryPassword": "short1"}, "InvalidPasswordException", None),
        ({"UserAttributes": [{"Name": "nonsense", "Value": "x"}]}, "InvalidParameterException", None),
        ({"UserAttributes": [{"Name": "sub", "Value": "x"}]}, "InvalidParameterException", None),
        ({"UserAttributes": [{"Name": "email", "Value": "x"}]}, "InvalidParameterException", None),
        ({"MessageAction": "SHOUT"}, "InvalidParameterException", None),
        ({"Username": ""}, "InvalidParameterException", None),
        ({"Username": "two words"}, "InvalidParameterException", None),
    ],
)
def test_a_user_that_breaks_a_rule_is_not_made(world: World, more: dict[str, Any], code: str, text: str | None) -> None:
    name = f"never-{secrets.token_hex(4)}"

    with refused(code, text):
        create(world, name, **more)

    assert create(world, name)


def test_a_name_is_taken_once_in_a_pool(world: World, new_world: Callable[..., World]) -> None:
    name = create(world)["Username"]

    with refused("UsernameExistsException", "User account already exists"):
        create(world, name)
    assert create(new_world(), name)


@pytest.fixture(scope="module")
def crowd(live: Live) -> tuple[World, list[str]]:
    """Return a pool with seven people."""
    world = World(live)
    names = [f"p{number}" for number in range(7)]
    for number, name in enumerate(names):
        create(
            world,
            name,
            UserAttributes=[
                {"Name": "email", "Value": f"{name}@example.com"},
                {"Name": "given_name", "Value": "Ana" if number % 2 else 'An "a"'},
            ],
        )
    return world, names


def listed(world: World, **more: Any) -> list[str]:
    pages = world.idp.get_paginator("list_users").paginate(UserPoolId=world.pool_id, **more)
    return [user["Username"] for page in pages for user in page["Users"]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 60])
def test_pages_neither_skip_nor_repeat(crowd: tuple[World, list[str]], size: int) -> None:
    world, names = crowd

    assert sorted(listed(world, PaginationConfig={"PageSize": size})) == names


@pytest.mark.parametrize("size", [1, 60])
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('username = "p3"', ["p3"]),
        ('username ^= "p"', ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]),
        ('email = "p2@example.com"', ["p2"]),
        ('email ^= "p2"', ["p2"]),
        ('given_name = "Ana"', ["p1", "p3", "p5"]),
        ('given_name = "An \\"a\\""', ["p0", "p2", "p4", "p6"]),
        ('given_name ^= "An"', ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]),
        ('cognito:user_status = "force_change_password"', ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]),
        ('cognito:user_status = "CONFIRMED"', []),
        ('status = "Enabled"', ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]),
        ('status = "Disabled"', []),
        *((f"status {written}", []) for written in ('= "enabled"', '= "ENABLED"', '^= "en"', '= "Active"')),
        ('username ^= "%"', []),
        ('username = "P3"', []),
        ("", ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]),
    ],
)
def test_a_filter_finds_exactly(crowd: tuple[World, list[str]], wanted: str, found: list[str], size: int) -> None:
    world, _ = crowd

    assert sorted(listed(world, Filter=wanted, PaginationConfig={"PageSize": size})) == found


@pytest.fixture(scope="module", params=[True, False], ids=["case counts", "case does not count"])
def mixed(live: Live, request: pytest.FixtureRequest) -> World:
    """Return a pool with seven people, in capitals and in small letters, and one who is called otherwise."""
    world = World(live, pool={"UsernameConfiguration": {"CaseSensitive": request.param}})
    for number in range(7):
        written = str.upper if number % 2 else str.lower
        values = {
            "email": f"{written('ann')}{number}@Example.com",
            "name": written("Élodie Ærø"),
            "given_name": written("élodie"),
            "family_name": written("Шишкина"),
            "preferred_username": f"Ann.{number}",
        }
        create(world, f"Ann{number}", UserAttributes=[{"Name": name, "Value": value} for name, value in values.items()])
    create(world, "bob", UserAttributes=[{"Name": "email", "Value": "bob@example.com"}])
    return world


@pytest.mark.parametrize("size", [1, 2, 60])
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('email = "aNN3@example.COM"', {"ann3"}),
        *((f'email ^= "{head}"', {f"ann{number}" for number in range(7)}) for head in ("ann", "ANN", "aNn")),
        ('email ^= "ann3@EXAMPLE"', {"ann3"}),
        ('email = "ann3@example"', set()),
        ('preferred_username = "aNN.4"', {"ann4"}),
        *(
            (wanted, {f"ann{number}" for number in range(7)})
            for wanted in (
                'preferred_username ^= "ANN."',
                'name = "élodie ærø"',
                'name = "ÉLODIE ÆRØ"',
                'name ^= "ÉLODIE Æ"',
                'given_name = "Élodie"',
                'given_name ^= "é"',
                'family_name = "шишкина"',
                'family_name ^= "ШИШ"',
            )
        ),
        ('given_name ^= "e"', set()),
    ],
)
def test_a_filter_finds_whatever_the_case(mixed: World, wanted: str, found: set[str], size: int) -> None:
    """AWS: Managing and searching user accounts: all searches are case-insensitive."""
    names = listed(mixed, Filter=wanted, PaginationConfig={"PageSize": size})

    assert len(names) == len(found)  # nobody twice, on whichever page
    assert {name.lower() for name in names} == found


def test_a_username_is_found_as_the_pool_compares_names(mixed: World) -> None:
    """AWS: API_ListUsers, Filter: username (case-sensitive). Where case does not count, it is the same name."""
    counts = mixed.pool["UsernameConfiguration"]["CaseSensitive"]

    assert listed(mixed, Filter='username = "Ann3"') == (["Ann3"] if counts else ["ann3"])
    assert len(listed(mixed, Filter='username ^= "Ann"')) == 7
    for other in ("ann3", "ANN3"):
        assert listed(mixed, Filter=f'username = "{other}"') == ([] if counts else ["ann3"])
    assert listed(mixed, Filter='username ^= "BO"') == ([] if counts else ["bob"])


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        *(
            (wanted, "Error while parsing filter.")
            for wanted in ("nonsense", 'username > "p"', 'username = "p', 'username = "p" or "1"', "username = 'p'")
        ),
        ('custom:x = "y"', "Invalid search attribute: custom:x"),
        ('nickname = "x"', "Invalid search attribute: nickname"),
    ],
)
def test_a_filter_that_says_nothing_is_refused(crowd: tuple[World, list[str]], wanted: str, text: str) -> None:
    world, _ = crowd

    with refused("InvalidParameterException", text):
        world.idp.list_users(UserPoolId=world.pool_id, Filter=wanted)


def test_a_page_token_belongs_to_its_list(crowd: tuple[World, list[str]], world: World) -> None:
    pool, _ = crowd
    token = pool.idp.list_users(UserPoolId=pool.pool_id, Limit=2)["PaginationToken"]

    for given in (
        {"UserPoolId": world.pool_id, "PaginationToken": token},
        {"UserPoolId": pool.pool_id, "PaginationToken": token, "Filter": 'username ^= "p"'},
        {"UserPoolId": pool.pool_id, "PaginationToken": "garbage"},
    ):
        with refused("InvalidParameterException", "Invalid pagination token given."):
            pool.idp.list_users(**given)


def test_only_the_wanted_attributes_are_told(crowd: tuple[World, list[str]]) -> None:
    world, _ = crowd

    users = world.idp.list_users(UserPoolId=world.pool_id, AttributesToGet=["email"])["Users"]

    assert {frozenset(named(user["Attributes"])) for user in users} == {frozenset({"email"})}


@pytest.mark.parametrize("asked", ["given_name", "family_name", "custom:no"])
def test_an_attribute_that_somebody_shown_lacks_cannot_be_asked_for(crowd: tuple[World, list[str]], asked: str) -> None:
    world, _ = crowd
    given = {"UserPoolId": world.pool_id, "AttributesToGet": ["email", asked]}

    if asked == "given_name":
        assert len(world.idp.list_users(**given)["Users"]) == 7
    else:
        with refused("InvalidParameterException", "One or more requested attributes do not exist."):
            world.idp.list_users(**given)
    if asked == "family_name":  # nobody is shown who lacks it
        assert world.idp.list_users(**given, Filter='username = "nobody"')["Users"] == []


def test_a_pool_shows_no_one_elses_people(crowd: tuple[World, list[str]], world: World) -> None:
    other, names = crowd

    assert not set(names) & set(listed(world))
    for name in names:
        with refused("UserNotFoundException", "User does not exist."):
            world.user(name)
    assert other.pool_id != world.pool_id
    assert PASSWORD
