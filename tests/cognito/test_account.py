"""A person's own account through boto3, by access token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused

NEW = "Other-horse-88"


def test_a_person_sees_what_the_client_may_read(world: World) -> None:
    name = world.person(given_name="Ana", phone_number="+4912345678")
    narrow = world.new_client(ReadAttributes=["given_name"], WriteAttributes=["given_name"])["ClientId"]

    wide = world.anyone.get_user(AccessToken=world.tokens(name)["AccessToken"])
    token = world.sign_in(name, client_id=narrow)["AuthenticationResult"]["AccessToken"]
    found = world.anyone.get_user(AccessToken=token)

    sub = named(wide["UserAttributes"])["sub"]
    assert wide["Username"] == name
    assert named(wide["UserAttributes"]) == {
        "sub": sub,
        "given_name": "Ana",
        "email": f"{name}@example.com",
        "email_verified": "true",
        "phone_number": "+4912345678",
    }
    assert named(found["UserAttributes"]) == {"sub": sub, "given_name": "Ana"}
    assert "UserMFASettingList" not in wide
    assert "PreferredMfaSetting" not in wide


def every_call(world: World, token: str) -> list[Callable[[], Any]]:
    """Return each call that takes an access token."""
    anyone = world.anyone
    return [
        lambda: anyone.get_user(AccessToken=token),
        lambda: anyone.update_user_attributes(
            AccessToken=token, UserAttributes=[{"Name": "given_name", "Value": "Eve"}]
        ),
        lambda: anyone.change_password(AccessToken=token, PreviousPassword="Correct-horse-7", ProposedPassword=NEW),
        lambda: anyone.associate_software_token(AccessToken=token),
        lambda: anyone.verify_software_token(AccessToken=token, UserCode="123456"),
        lambda: anyone.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True}),
        lambda: anyone.global_sign_out(AccessToken=token),
    ]


def test_a_token_that_is_none_of_ours_is_refused_everywhere_and_changes_nothing(
    world: World, new_world: Callable[..., World]
) -> None:
    name = world.person()
    tokens = world.tokens(name)
    access = tokens["AccessToken"]
    head, body, tail = access.split(".")
    forged = f"{head}.{body}.{tail[:10]}{'A' if tail[10] != 'A' else 'B'}{tail[11:]}"
    none = f"eyJhbGciOiJub25lIn0.{body}."
    before = world.user(name)

    for bad in (tokens["IdToken"], tokens["RefreshToken"], forged, none, "x", "a.b.c", "A" * 90_000):
        for call in every_call(world, bad):
            with refused("NotAuthorizedException", "Invalid Access Token"):
                call()

    assert world.user(name) == before
    assert world.tokens(name)


def test_a_token_works_until_everyone_is_signed_out(world: World) -> None:
    name = world.person()
    tokens, others = world.tokens(name), world.tokens(name)

    world.anyone.global_sign_out(AccessToken=tokens["AccessToken"])

    for token in (tokens["AccessToken"], others["AccessToken"]):
        for call in every_call(world, token):
            with refused("NotAuthorizedException", "Access Token has been revoked"):
                call()
    for token in (tokens["RefreshToken"], others["RefreshToken"]):
        with refused("NotAuthorizedException", "Refresh Token has been revoked"):
            world.refresh(token)
    assert world.anyone.get_user(AccessToken=world.tokens(name)["AccessToken"])


def test_a_token_without_the_scope_of_the_api_is_refused(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    with world.live.orm():
        from pools.services import access
        from pools.services.pools import signing_keys

        claims = signing_keys.unverified_claims(token)
        narrow = signing_keys.sign(access.pool(world.pool_id), signing_keys.Use.ACCESS, {**claims, "scope": "openid"})
        past = signing_keys.sign(access.pool(world.pool_id), signing_keys.Use.ACCESS, {**claims, "exp": claims["iat"]})

    for call in every_call(world, narrow):
        with refused("NotAuthorizedException", "Access Token does not have required scopes"):
            call()
    for call in every_call(world, past):
        with refused("NotAuthorizedException", "Access Token has expired"):
            call()


@pytest.mark.parametrize(
    ("columns", "code", "text"),
    [
        ({"enabled": False}, "NotAuthorizedException", "User is disabled."),
        ({"epoch": 7}, "NotAuthorizedException", "Access Token has been revoked"),
    ],
)
def test_a_disabled_persons_token_is_refused_at_once(
    world: World, columns: dict[str, Any], code: str, text: str
) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    with world.live.orm():
        from pools.models import User

        assert User.objects.filter(pool__public_id=world.pool_id, username=name).update(**columns) == 1

    for call in every_call(world, token):
        with refused(code, text):
            call()


def test_a_person_changes_attributes(world: World) -> None:
    name = world.person(given_name="Ana")
    token = world.tokens(name)["AccessToken"]

    answer = world.anyone.update_user_attributes(
        AccessToken=token,
        UserAttributes=[{"Name": "given_name", "Value": ""}, {"Name": "family_name", "Value": "Ämt"}],
    )

    assert answer["CodeDeliveryDetailsList"] == []
    attributes = named(world.user(name)["UserAttributes"])
    assert "given_name" not in attributes
    assert attributes["family_name"] == "Ämt"


def test_a_new_address_is_unproven_and_gets_a_code(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    address = f"new-{name}@example.org"

    answer = world.anyone.update_user_attributes(
        AccessToken=token, UserAttributes=[{"Name": "email", "Value": address}]
    )

    assert answer["CodeDeliveryDetailsList"] == [
        {"Destination": "n***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    ]
    attributes = named(world.user(name)["UserAttributes"])
    assert (attributes["email"], attributes["email_verified"]) == (address, "false")
    assert world.code(address)


@pytest.mark.parametrize(
    ("name", "value", "code", "text"),
    [
        ("email_verified", "true", "NotAuthorizedException", "A client attempted to write unauthorized attribute"),
        ("sub", "x", "NotAuthorizedException", None),
        ("custom:none", "x", "NotAuthorizedException", "A client attempted to write unauthorized attribute"),
        ("email", "nonsense", "InvalidParameterException", None),
        ("phone_number", "12", "InvalidParameterException", None),
        ("birthdate", "tomorrow", "InvalidParameterException", None),
        ("given_name", "x" * 2049, "InvalidParameterException", None),
    ],
)
def test_what_may_not_be_written_changes_nothing(
    world: World, name: str, value: str, code: str, text: str | None
) -> None:
    person = world.person(given_name="Ana")
    token = world.tokens(person)["AccessToken"]
    before = world.user(person)["UserAttributes"]

    with refused(code, text):
        world.anyone.update_user_attributes(
            AccessToken=token,
            UserAttributes=[{"Name": "family_name", "Value": "Eve"}, {"Name": name, "Value": value}],
        )

    assert world.user(person)["UserAttributes"] == before


def test_who_may_write_what_is_the_clients_list_then_the_schema(new_world: Callable[..., World]) -> None:
    schema = [
        {"Name": "role", "AttributeDataType": "String", "Mutable": True},
        {"Name": "once", "AttributeDataType": "String", "Mutable": False},
        {"Name": "hidden", "AttributeDataType": "String", "Mutable": True, "DeveloperOnlyAttribute": True},
    ]
    world = new_world(pool={"Schema": schema, "AutoVerifiedAttributes": []})
    listed = world.new_client(ReadAttributes=["name"], WriteAttributes=["name", "custom:once"])
    assert not {"ReadAttributes", "WriteAttributes"} & world.client.keys()
    assert (listed["ReadAttributes"], listed["WriteAttributes"]) == (["name"], ["name", "custom:once"])
    given = {"custom:role": "reader", "custom:once": "a"}
    world.anyone.sign_up(
        ClientId=world.client_id,
        Username="ann",
        Password=PASSWORD,
        UserAttributes=[{"Name": name, "Value": value} for name, value in given.items()],
    )
    world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username="ann")
    plain = world.tokens("ann")["AccessToken"]
    narrow = world.sign_in("ann", client_id=listed["ClientId"])["AuthenticationResult"]["AccessToken"]

    def write(token: str, name: str, value: str) -> None:
        world.anyone.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": name, "Value": value}])

    write(plain, "custom:role", "writer")
    write(plain, "custom:once", "a")
    for name in ("custom:hidden", "dev:custom:hidden", "custom:none", "email_verified", "sub"):
        with refused("NotAuthorizedException", "A client attempted to write unauthorized attribute"):
            write(plain, name, "true")
    for name in ("custom:role", "custom:none", "birthdate"):
        with refused("NotAuthorizedException", "A client attempted to write unauthorized attribute"):
            write(narrow, name, "no birthdate")
    for token in (plain, narrow):
        with refused("InvalidParameterException", "user.custom:once: Attribute cannot be updated."):
            write(token, "custom:once", "b")
    told = named(world.anyone.get_user(AccessToken=plain)["UserAttributes"])
    assert told == {"sub": told["sub"], "custom:role": "writer", "custom:once": "a"}
    assert named(world.anyone.get_user(AccessToken=narrow)["UserAttributes"]).keys() == {"sub"}
