"""A person's own account through boto3, by access token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.live import Live

NEW = "Other-horse-88"
NOT_WRITABLE = "A client attempted to write unauthorized attribute"
NOT_THERE = "Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema.\n"


@pytest.fixture(scope="module")
def narrow(live: Live) -> World:
    """Return a pool that needs an address, whose client may write little."""
    schema = [
        {"Name": "email", "AttributeDataType": "String", "Mutable": True, "Required": True},
        {"Name": "kept", "AttributeDataType": "String", "Mutable": True},
        {"Name": "once", "AttributeDataType": "String", "Mutable": False},
    ]
    return World(live, pool={"Schema": schema}, client={"WriteAttributes": ["email", "given_name", "custom:once"]})


def verify(world: World, token: str, code: str) -> Any:  # noqa: ANN401 - an answer
    """Answer with the code that an address was sent."""
    return world.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)


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
        lambda: anyone.delete_user_attributes(AccessToken=token, UserAttributeNames=["given_name"]),
        lambda: anyone.get_user_attribute_verification_code(AccessToken=token, AttributeName="email"),
        lambda: anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code="123456"),
        lambda: anyone.get_user_auth_factors(AccessToken=token),
        lambda: anyone.set_user_settings(AccessToken=token, MFAOptions=[]),
        lambda: anyone.delete_user(AccessToken=token),
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
        ("custom:none", "x", "InvalidParameterException", NOT_THERE),
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
    for name in ("dev:custom:hidden", "email_verified", "sub"):
        with refused("NotAuthorizedException", "A client attempted to write unauthorized attribute"):
            write(plain, name, "true")
    for name in ("custom:hidden", "custom:none"):  # who may write all is told that there is none
        with refused("InvalidParameterException", NOT_THERE.replace("custom:none", name)):
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


def test_a_person_deletes_attributes(world: World) -> None:
    name = world.person(given_name="Ana", family_name="Ott", phone_number="+4912345678", phone_number_verified="true")
    token = world.tokens(name)["AccessToken"]

    for _ in range(2):
        answer = world.anyone.delete_user_attributes(
            AccessToken=token, UserAttributeNames=["given_name", "phone_number", "nickname"]
        )
        assert answer.keys() == {"ResponseMetadata"}

    told = named(world.user(name)["UserAttributes"])
    assert told == {
        "sub": told["sub"],
        "family_name": "Ott",
        "email": f"{name}@example.com",
        "email_verified": "true",
    }


@pytest.mark.parametrize(
    ("attribute", "code", "text"),
    [
        ("sub", "NotAuthorizedException", NOT_WRITABLE),
        ("email_verified", "NotAuthorizedException", NOT_WRITABLE),
        ("custom:none", "NotAuthorizedException", NOT_WRITABLE),
        ("custom:kept", "NotAuthorizedException", NOT_WRITABLE),
        ("custom:once", "InvalidParameterException", "user.custom:once: Attribute cannot be updated."),
        ("email", "InvalidParameterException", "user.email: Required attribute cannot be deleted."),
    ],
)
def test_what_may_not_be_deleted_stays_with_the_rest(narrow: World, attribute: str, code: str, text: str) -> None:
    person = narrow.person(**{"custom:kept": "a", "custom:once": "b", "given_name": "Ana"})
    token = narrow.tokens(person)["AccessToken"]
    before = narrow.user(person)

    with refused(code, text):
        narrow.anyone.delete_user_attributes(AccessToken=token, UserAttributeNames=["given_name", attribute])

    assert narrow.user(person) == before


def test_an_address_is_proven_by_the_code_that_was_asked_for(world: World) -> None:
    name = world.person(email_verified="false")
    token = world.tokens(name)["AccessToken"]

    sent = world.anyone.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")

    assert sent["CodeDeliveryDetails"] == {
        "Destination": "p***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    code = world.code(f"{name}@example.com")
    with refused("CodeMismatchException"):
        verify(world, token, "999999" if code != "999999" else "999998")
    assert verify(world, token, code).keys() == {"ResponseMetadata"}
    assert named(world.user(name)["UserAttributes"])["email_verified"] == "true"
    with refused("ExpiredCodeException"):
        verify(world, token, code)


def test_a_change_that_waits_gets_its_code_again_and_takes_effect_by_it(new_world: Callable[..., World]) -> None:
    wait = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    world = new_world(pool={"AutoVerifiedAttributes": ["email"], "UserAttributeUpdateSettings": wait})
    name = world.person()
    token, old, new = world.tokens(name)["AccessToken"], f"{name}@example.com", f"new-{name}@example.org"
    world.anyone.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email", "Value": new}])
    first = world.code(new)

    sent = world.anyone.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")

    assert sent["CodeDeliveryDetails"]["Destination"] == "n***@e***"
    assert named(world.user(name)["UserAttributes"])["email"] == old
    second = world.code(new, count=2)
    if first != second:
        with refused("CodeMismatchException"):
            verify(world, token, first)
    verify(world, token, second)
    attributes = named(world.user(name)["UserAttributes"])
    assert (attributes["email"], attributes["email_verified"]) == (new, "true")


def test_an_address_that_is_set_back_ends_the_change_that_waits(new_world: Callable[..., World]) -> None:
    wait = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    world = new_world(pool={"AutoVerifiedAttributes": ["email"], "UserAttributeUpdateSettings": wait})
    name = world.person()
    token, old = world.tokens(name)["AccessToken"], f"{name}@example.com"
    user = {"UserPoolId": world.pool_id, "Username": name}
    kept = [{"Name": "email", "Value": old}]
    ways: list[Callable[[], Any]] = [
        lambda: world.anyone.update_user_attributes(AccessToken=token, UserAttributes=kept),
        lambda: world.idp.admin_update_user_attributes(
            **user, UserAttributes=[*kept, {"Name": "email_verified", "Value": "true"}]
        ),
        lambda: world.idp.admin_update_user_attributes(**user, UserAttributes=kept),
    ]

    for number, set_back in enumerate(ways):
        new = f"new-{number}-{name}@example.org"
        world.anyone.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email", "Value": new}])
        code = world.code(new)
        set_back()

        with refused("ExpiredCodeException"):
            verify(world, token, code)
        attributes = named(world.user(name)["UserAttributes"])
        assert (attributes["email"], attributes["email_verified"]) == (old, "true")


def test_codes_for_an_address_and_guesses_at_them_are_limited(world: World) -> None:
    name = world.person(email_verified="false")
    token = world.tokens(name)["AccessToken"]

    for _ in range(5):
        world.anyone.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
        world.anyone.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    code = world.code(f"{name}@example.com", count=5)
    for _ in range(5):
        with refused("CodeMismatchException"):
            verify(world, token, "999999" if code != "999999" else "999998")
    with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
        verify(world, token, code)
    assert named(world.user(name)["UserAttributes"])["email_verified"] == "false"


def test_only_an_address_that_is_there_and_that_the_client_may_write_is_verified(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    listed = world.new_client(ReadAttributes=["name"], WriteAttributes=["name"])["ClientId"]
    narrow = world.sign_in(name, client_id=listed)["AuthenticationResult"]["AccessToken"]

    def both(token: str, attribute: str) -> list[Callable[[], Any]]:
        return [
            lambda: world.anyone.get_user_attribute_verification_code(AccessToken=token, AttributeName=attribute),
            lambda: world.anyone.verify_user_attribute(AccessToken=token, AttributeName=attribute, Code="123456"),
        ]

    for call in both(token, "nickname"):
        with refused("InvalidParameterException", "Only email and phone_number can be verified."):
            call()
    for call in both(narrow, "email"):
        with refused("NotAuthorizedException", NOT_WRITABLE):
            call()
    ask, answer = both(token, "phone_number")
    with refused("InvalidParameterException", "User does not have attribute phone_number"):
        ask()
    with refused("ExpiredCodeException"):
        answer()


def test_a_person_sees_what_they_can_sign_in_with(careful: World) -> None:
    name = careful.person()
    token = careful.tokens(name)["AccessToken"]

    plain = careful.anyone.get_user_auth_factors(AccessToken=token)
    careful.enrol(token)
    more = careful.anyone.get_user_auth_factors(AccessToken=token)

    for told in (plain, more):
        del told["ResponseMetadata"]
    assert plain == {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD"]}
    assert more == {
        "Username": name,
        "PreferredMfaSetting": "SOFTWARE_TOKEN_MFA",
        "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"],
        "ConfiguredUserAuthFactors": ["PASSWORD", "SOFTWARE_TOKEN"],
    }


def test_who_deletes_the_own_account_is_gone_at_once_and_the_name_is_free(world: World) -> None:
    name = world.person()
    tokens = world.tokens(name)

    world.anyone.delete_user(AccessToken=tokens["AccessToken"])

    for call in (world.anyone.get_user, world.anyone.delete_user):
        with refused("UserNotFoundException", "User does not exist."):
            call(AccessToken=tokens["AccessToken"])
    with refused("NotAuthorizedException"):
        world.refresh(tokens["RefreshToken"])
    with refused("UserNotFoundException", "User does not exist."):
        world.sign_in(name)
    assert world.person(name) == name
