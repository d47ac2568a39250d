"""Texts that programs match, each by the situation in which Amazon says it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, refused
from tests.live import Live

MAIL, PHONE = "anna@example.com", "+12065550100"
OWN = "Own-horse-77"
USED = "Invalid session for the user, session can only be used once."
CUSTOM = "CUSTOM_AUTH is not enabled for the client."
TURN_OFF = "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
NO_CODE = "Code mismatch and fail enable Software Token MFA"
UNAUTHORIZED = "A client attempted to write unauthorized attribute"
NOT_MUTABLE = "Cannot modify the non-mutable attribute"
SCHEMA = [
    {"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True},
    {"Name": "nickname", "AttributeDataType": "String", "Required": True, "Mutable": True},
    {"Name": "once", "AttributeDataType": "String", "Mutable": False},
    {"Name": "free", "AttributeDataType": "String", "Mutable": True},
    {"Name": "hidden", "AttributeDataType": "String", "Mutable": True, "DeveloperOnlyAttribute": True},
]


@pytest.fixture(scope="module")
def addressed(live: Live) -> World:
    """Return a pool whose people sign in by address or number, with one person of both."""
    world = World(live, pool={"UsernameAttributes": ["email", "phone_number"], "AutoVerifiedAttributes": []})
    for name in (MAIL, PHONE):
        invite(world, name)
    return world


@pytest.fixture(scope="module")
def aliased(live: Live) -> World:
    """Return a pool where proven addresses and numbers sign in, with one person who has both."""
    world = World(live, pool={"AliasAttributes": ["email", "phone_number"]})
    world.person("anna", email=MAIL, phone_number=PHONE, phone_number_verified="true")
    return world


@pytest.fixture(scope="module")
def wanting(live: Live) -> World:
    """Return a pool that requires attributes of its people."""
    return World(live, pool={"Schema": SCHEMA})


def invite(world: World, name: str, **attributes: str) -> None:
    world.idp.admin_create_user(
        UserPoolId=world.pool_id,
        Username=name,
        MessageAction="SUPPRESS",
        TemporaryPassword=PASSWORD,
        UserAttributes=[{"Name": key.replace("__", ":"), "Value": value} for key, value in attributes.items()],
    )


def sign_up(world: World, name: str) -> None:
    world.anyone.sign_up(ClientId=world.client_id, Username=name, Password=PASSWORD)


@pytest.mark.parametrize("join", [sign_up, invite])
@pytest.mark.parametrize(("name", "word"), [(MAIL, "email"), (PHONE, "phone_number")])
def test_a_taken_address_is_named_by_its_kind(
    addressed: World, join: Callable[[World, str], None], name: str, word: str
) -> None:
    with refused("UsernameExistsException", f"An account with the given {word} already exists."):
        join(addressed, name)


@pytest.mark.parametrize(
    ("own", "name", "word"), [("b@example.com", MAIL, "email"), ("+12065550101", PHONE, "phone_number")]
)
def test_an_address_that_signs_another_in_is_named_by_its_kind(
    addressed: World, own: str, name: str, word: str
) -> None:
    addressed.idp.admin_create_user(UserPoolId=addressed.pool_id, Username=own, MessageAction="SUPPRESS")
    addressed.idp.admin_set_user_password(UserPoolId=addressed.pool_id, Username=own, Password=PASSWORD, Permanent=True)
    token = addressed.tokens(own)["AccessToken"]

    with refused("AliasExistsException", f"An account with the given {word} already exists."):
        addressed.anyone.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": word, "Value": name}])


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"email": MAIL, "email_verified": "true"}, "email"),
        ({"phone_number": PHONE, "phone_number_verified": "true"}, "phone_number"),
    ],
)
def test_a_taken_alias_is_named_by_its_kind(aliased: World, given: dict[str, str], word: str) -> None:
    with refused("UsernameExistsException", f"An account with the given {word} already exists."):
        invite(aliased, "another", **given)
    with refused("UserNotFoundException"):
        aliased.user("another")


@pytest.mark.parametrize(
    ("answers", "code", "text"),
    [
        ({}, "InvalidParameterException", "Invalid attributes given, name is missing"),
        ({"name": ""}, "InvalidParameterException", "Invalid attributes given, name is missing"),
        ({"name": "Ann", "nickname": "Al"}, "NotAuthorizedException", "Cannot modify an already provided nickname"),
        ({"name": "Ann", "nickname": ""}, "NotAuthorizedException", "Cannot modify an already provided nickname"),
        ({"name": "A", "email_verified": "true"}, "InvalidParameterException", f"{NOT_MUTABLE} email_verified"),
        ({"name": "A", "sub": "x"}, "InvalidParameterException", f"{NOT_MUTABLE} sub"),
        (
            {"name": "A", "custom:once": "b"},
            "InvalidParameterException",
            "user.custom:once: Attribute cannot be updated.",
        ),
        ({"name": "A", "dev:custom:hidden": "b"}, "NotAuthorizedException", UNAUTHORIZED),
        (
            {"name": "A", "custom:none": "b"},
            "InvalidParameterException",
            "Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema.\n",
        ),
    ],
)
def test_what_a_new_password_may_not_come_with(wanting: World, answers: dict[str, str], code: str, text: str) -> None:
    name = f"guest-{secrets.token_hex(4)}"
    invite(wanting, name, nickname="Al", custom__once="a")
    given = {f"userAttributes.{key}": value for key, value in answers.items()}

    with refused(code, text):
        wanting.respond(wanting.sign_in(name), name, NEW_PASSWORD=OWN, **given)

    assert wanting.user(name)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_a_required_attribute_is_given_once_and_others_may_change(wanting: World) -> None:
    invite(wanting, "once", nickname="Al", custom__free="a", custom__once="b")
    challenge = wanting.sign_in("once")
    given = {"userAttributes.name": "Ann", "userAttributes.custom:free": "c", "userAttributes.custom:once": "b"}

    assert wanting.respond(challenge, "once", NEW_PASSWORD=OWN, **given)["AuthenticationResult"]

    told = {item["Name"]: item["Value"] for item in wanting.user("once")["UserAttributes"]}
    assert told | {"name": "Ann", "nickname": "Al", "custom:free": "c", "custom:once": "b"} == told


def test_a_session_that_was_answered_says_so(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.mfa("ON")
    name = world.person()
    first = world.sign_in(name)
    second = world.anyone.associate_software_token(Session=first["Session"])

    with refused("NotAuthorizedException", USED):
        world.anyone.associate_software_token(Session=first["Session"])
    with refused("NotAuthorizedException", USED):
        world.respond(first, name)
    with refused("EnableSoftwareTokenMFAException", NO_CODE):
        world.anyone.verify_software_token(Session=second["Session"], UserCode="000000")


def test_mfa_is_not_turned_off_with_a_factor(world: World) -> None:
    with refused("InvalidParameterException", TURN_OFF):
        world.idp.set_user_pool_mfa_config(
            UserPoolId=world.pool_id, MfaConfiguration="OFF", SoftwareTokenMfaConfiguration={"Enabled": True}
        )


def test_a_custom_flow_that_is_off_says_so(world: World) -> None:
    asked: dict[str, Any] = {"ClientId": world.client_id, "AuthFlow": "CUSTOM_AUTH"}

    with refused("InvalidParameterException", CUSTOM):
        world.anyone.initiate_auth(**asked, AuthParameters={"USERNAME": "anna"})
    with refused("InvalidParameterException", CUSTOM):
        world.idp.admin_initiate_auth(UserPoolId=world.pool_id, **asked, AuthParameters={"USERNAME": "anna"})
