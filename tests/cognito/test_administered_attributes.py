"""Attributes that administrators write and delete through boto3, and what the user sees of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pools.services.pools import signing_keys
from tests.cognito.administrators import about, attributes_of, audited, codes_sent, sub_of, write
from tests.cognito.conftest import World, named, refused
from tests.live import Live

INVALID, NOBODY = "InvalidParameterException", "UserNotFoundException"
TAKEN = "An account with the given email already exists."
NO_CODE = "Invalid code provided, please request a code again."
SCHEMA = [
    {"Name": "given_name", "AttributeDataType": "String", "Mutable": True, "Required": True},
    {"Name": "level", "AttributeDataType": "Number", "Mutable": True, "NumberAttributeConstraints": {"MaxValue": "9"}},
    {"Name": "once", "AttributeDataType": "String", "Mutable": False},
]


@pytest.fixture(scope="module")
def ruled(live: Live) -> World:
    """Return a pool with rules for attributes, whose client may write almost nothing."""
    return World(live, pool={"Schema": SCHEMA}, client={"WriteAttributes": ["given_name"]})


def test_an_operator_writes_what_the_client_may_not(ruled: World) -> None:
    name = ruled.person(given_name="Ana", nickname="Annie")
    tokens = ruled.tokens(name)

    write(ruled, name, family_name="Ämt", nickname="", **{"custom:level": "7"})

    found = attributes_of(ruled, name)
    assert found == {
        "given_name": "Ana",
        "family_name": "Ämt",
        "custom:level": "7",
        "email": f"{name}@example.com",
        "email_verified": "true",
    }
    claims = signing_keys.unverified_claims(ruled.refresh(tokens["RefreshToken"])["IdToken"])
    assert (claims["family_name"], claims["custom:level"]) == ("Ämt", "7")
    assert "nickname" not in claims


NOT_THERE = "Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema.\n"


@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        ("sub", "x", "user.sub: Attribute cannot be updated."),
        ("custom:once", "b", "user.custom:once: Attribute cannot be updated."),
        ("custom:none", "x", NOT_THERE),
        ("custom:level", "10", None),
        ("given_name", "", "user.given_name: Required attribute cannot be deleted."),
        ("email", "nonsense", None),
        ("phone_number", "0123", None),
        ("email_verified", "perhaps", None),
        ("nickname", "x" * 2049, None),
        ("family_name", "again", "Attribute family_name is given twice."),
        ("phone_number_verified", "true", "Phone Number is required to verify/un-verify a phone number"),
        ("phone_number_verified", "false", "Phone Number is required to verify/un-verify a phone number"),
    ],
)
def test_what_breaks_the_schema_changes_nothing(ruled: World, attribute: str, value: str, text: str | None) -> None:
    name = ruled.person(given_name="Ana", **{"custom:once": "a"})
    before = (ruled.user(name), audited(ruled, sub_of(ruled, name)))
    given = [{"Name": "family_name", "Value": "Eve"}, {"Name": attribute, "Value": value}]

    with refused(INVALID, text):
        about(ruled, name, "admin_update_user_attributes", UserAttributes=given)

    assert (ruled.user(name), audited(ruled, sub_of(ruled, name))) == before


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("sub", "user.sub: Attribute cannot be updated."),
        ("custom:once", "user.custom:once: Attribute cannot be updated."),
        ("custom:none", NOT_THERE),
        ("given_name", "user.given_name: Required attribute cannot be deleted."),
    ],
)
def test_what_must_stay_is_not_deleted_and_nothing_else_is(ruled: World, attribute: str, text: str) -> None:
    name = ruled.person(given_name="Ana", family_name="Ott", **{"custom:once": "a"})
    before = ruled.user(name)

    with refused(INVALID, text):
        about(ruled, name, "admin_delete_user_attributes", UserAttributeNames=["family_name", attribute])

    assert ruled.user(name) == before


def test_deleted_attributes_are_gone_and_an_address_signs_nobody_in(aliased: World) -> None:
    name = aliased.person(given_name="Ana", phone_number="+4912345678")
    email = f"{name}@example.com"
    assert aliased.tokens(email)

    for _ in range(2):
        about(aliased, name, "admin_delete_user_attributes", UserAttributeNames=["email", "given_name"])

    assert attributes_of(aliased, name) == {"phone_number": "+4912345678"}
    with refused(NOBODY, "User does not exist."):
        aliased.sign_in(email)
    assert aliased.person(email=email)


def test_an_operators_word_proves_an_address(aliased: World) -> None:
    name, before = aliased.person(email_verified="false"), codes_sent(aliased)
    email, new = f"{name}@example.com", f"new-{name}@example.org"
    with refused(NOBODY):
        aliased.sign_in(email)

    write(aliased, name, email_verified="true")
    assert aliased.tokens(email)
    write(aliased, name, email=new, email_verified="true")
    assert aliased.tokens(new)
    write(aliased, name, email_verified="false")

    for address in (email, new):
        with refused(NOBODY):
            aliased.sign_in(address)
    assert attributes_of(aliased, name) == {"email": new, "email_verified": "false"}
    assert codes_sent(aliased) == before


def test_a_new_address_without_a_word_is_unproven_and_gets_a_code(aliased: World) -> None:
    name = aliased.person()
    token, new = aliased.tokens(name)["AccessToken"], f"new-{name}@example.org"

    write(aliased, name, email=new)

    assert attributes_of(aliased, name) == {"email": new, "email_verified": "false"}
    for address in (f"{name}@example.com", new):
        with refused(NOBODY):
            aliased.sign_in(address)
    aliased.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=aliased.code(new))
    assert aliased.tokens(new)


def test_an_address_that_waits_for_its_code_changes_nothing_until_then(live: Live) -> None:
    wait = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    world = World(live, pool={"AliasAttributes": ["email"], "UserAttributeUpdateSettings": wait})
    name = world.person()
    token, old = world.tokens(name)["AccessToken"], f"{name}@example.com"
    first, second, third = (f"{word}-{name}@example.org" for word in ("first", "second", "third"))

    write(world, name, email=first, nickname="Nick")
    assert attributes_of(world, name) == {"email": old, "email_verified": "true", "nickname": "Nick"}
    assert world.tokens(old)
    world.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=world.code(first))
    assert attributes_of(world, name)["email"] == first

    write(world, name, email=second)
    code = world.code(second)
    before = codes_sent(world)
    write(world, name, email=third, email_verified="true")
    assert attributes_of(world, name) == {"email": third, "email_verified": "true", "nickname": "Nick"}
    assert codes_sent(world) == before
    with refused("ExpiredCodeException", NO_CODE):  # what waited is overtaken
        world.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)
    assert world.tokens(third)


def test_a_name_that_another_owns_is_refused_and_nothing_changes(aliased: World) -> None:
    owner, name = aliased.person(), aliased.person()
    email, star = f"{owner}@example.com", f"star-{owner}"
    write(aliased, owner, preferred_username=star)
    other = aliased.person(email=email, email_verified="false")
    before = aliased.user(name), aliased.user(other)

    with refused("AliasExistsException", TAKEN):
        write(aliased, name, nickname="Nick", email=email, email_verified="true")
    with refused("AliasExistsException", TAKEN):
        write(aliased, other, email_verified="true")
    for taken in (star, owner):
        with refused("AliasExistsException", "An account with the given preferred username already exists."):
            write(aliased, name, preferred_username=taken)

    assert (aliased.user(name), aliased.user(other)) == before
    assert aliased.user(email)["Username"] == owner
    about(aliased, owner, "admin_delete_user")
    write(aliased, other, email_verified="true")
    assert aliased.user(email)["Username"] == other


def test_the_address_that_is_the_username_moves_at_once(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"UsernameAttributes": ["email"]})
    for address in ("ann@example.com", "bob@example.com"):
        world.person(address, email=address)

    with refused("AliasExistsException", TAKEN):
        write(world, "ann@example.com", email="bob@example.com", email_verified="true")
    with refused(INVALID, "user.email: Attribute cannot be deleted."):
        about(world, "ann@example.com", "admin_delete_user_attributes", UserAttributeNames=["email"])
    write(world, "ann@example.com", email="eve@example.com", email_verified="true")

    assert world.tokens("eve@example.com")
    with refused(NOBODY):
        world.sign_in("ann@example.com")


def test_codes_to_an_address_are_limited(aliased: World) -> None:
    name = aliased.person()
    new = f"new-{name}@example.org"
    for _ in range(5):
        write(aliased, name, email=new)
        write(aliased, name, email=f"{name}@example.com", email_verified="true")
    before = (aliased.user(name), codes_sent(aliased))

    with refused("TooManyRequestsException", "Attempt limit exceeded, please try after some time."):
        write(aliased, name, email=new)

    assert (aliased.user(name), codes_sent(aliased)) == before


def test_nobody_is_made_whose_address_is_proven_and_not_there(world: World) -> None:
    """Other than where the address is the username, and so is there."""
    said = [{"Name": "email_verified", "Value": "true"}]

    with refused(INVALID, "Email is required to verify/un-verify an email"):
        about(world, "no-address", "admin_create_user", MessageAction="SUPPRESS", UserAttributes=said)

    with refused(NOBODY):
        world.user("no-address")
    by_email = World(world.live, pool={"UsernameAttributes": ["email"]})
    made = about(by_email, "ada@example.com", "admin_create_user", MessageAction="SUPPRESS", UserAttributes=said)
    assert named(made["User"]["Attributes"])["email_verified"] == "true"


def test_an_address_that_nobody_proved_takes_no_name_from_its_owner(new_world: Callable[..., World]) -> None:
    """AWS: API_AdminCreateUser, ForceAliasCreation: it is ignored where the address is not said to be verified."""
    world = new_world(pool={"UsernameAttributes": ["email", "phone_number"]})
    owner = world.person("owner@example.com", email="owner@example.com")
    given = [{"Name": "email", "Value": owner}]
    asked = {"MessageAction": "SUPPRESS", "ForceAliasCreation": True}

    with refused("UsernameExistsException"):
        about(world, "+12065550111", "admin_create_user", UserAttributes=given, **asked)

    assert "AuthenticationResult" in world.sign_in(owner)
    assert attributes_of(world, owner)["email_verified"] == "true"
    given.append({"Name": "email_verified", "Value": "true"})
    about(world, "+12065550111", "admin_create_user", UserAttributes=given, **asked)
    assert attributes_of(world, "+12065550111")["email"] == owner
