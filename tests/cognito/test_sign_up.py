"""Signing up through boto3, with the codes that a worker delivered."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused, secret_hash

POLICY = "Password did not conform with policy"
UNAUTHORIZED = "A client attempted to write unauthorized attribute"
NOT_THERE = [{"Name": "custom:none", "Value": "x"}, {"Name": "phone", "Value": "1"}]
NONE_OF_THEM = (
    "Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema.\n"
    "phone: Attribute does not exist in the schema.\n"
)
TWICE = [{"Name": "email", "Value": "a@example.com"}] * 2
MISMATCH = "Invalid verification code provided, please try again."


def sign_up(world: World, name: str = "", password: str = PASSWORD, **more: Any) -> tuple[str, str, dict[str, Any]]:
    """Sign someone up; return name, address and answer."""
    name = name or f"new-{secrets.token_hex(4)}"
    email = f"{name}@example.com"
    answer = world.anyone.sign_up(
        **{
            "ClientId": world.client_id,
            "Username": name,
            "Password": password,
            "UserAttributes": [{"Name": "email", "Value": email}],
            **more,
        }
    )
    return name, email, answer


def confirm(world: World, name: str, code: str, **more: Any) -> None:
    world.anyone.confirm_sign_up(**{"ClientId": world.client_id, "Username": name, "ConfirmationCode": code, **more})


def test_a_person_signs_up_confirms_and_signs_in(world: World) -> None:
    name, email, answer = sign_up(world)

    assert answer["UserConfirmed"] is False
    assert answer["CodeDeliveryDetails"] == {
        "Destination": "n***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    with refused("UserNotConfirmedException", "User is not confirmed."):
        world.sign_in(name)
    code = world.code(email)
    with refused("CodeMismatchException", MISMATCH):
        confirm(world, name, "000000" if code != "000000" else "000001")
    confirm(world, name, code)
    user = world.user(name)
    assert user["UserStatus"] == "CONFIRMED"
    assert named(user["UserAttributes"]) == {"sub": answer["UserSub"], "email": email, "email_verified": "true"}
    assert world.tokens(name)
    with refused("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"):
        confirm(world, name, code)


def test_a_uuid_is_a_username_like_any_unless_it_is_anothers_sub_and_codes_are_read_with_dashes(world: World) -> None:
    name, email, answer = sign_up(world, str(uuid.uuid4()))
    code = world.code(email)
    confirm(world, name, f"{code[:3]}-{code[3:]}")

    assert world.tokens(name)
    assert world.user(name)["Username"] == name
    for taken in (name, answer["UserSub"], answer["UserSub"].upper()):
        with refused("UsernameExistsException"):
            sign_up(world, taken)
        with refused("UsernameExistsException"):
            world.idp.admin_create_user(UserPoolId=world.pool_id, Username=taken, MessageAction="SUPPRESS")


def test_an_email_as_username_is_kept_as_attribute_and_named_by_the_sub(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"UsernameAttributes": ["email"], "UsernameConfiguration": {"CaseSensitive": False}})

    answer = world.anyone.sign_up(ClientId=world.client_id, Username="Ana@Example.com", Password=PASSWORD)

    world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username="ana@example.com")
    user = world.user("ANA@example.com")
    assert user["Username"] == answer["UserSub"]
    assert named(user["UserAttributes"])["email"].lower() == "ana@example.com"
    assert world.tokens("aNa@example.com")
    with refused("UsernameExistsException"):
        world.anyone.sign_up(ClientId=world.client_id, Username="ANA@example.com", Password=PASSWORD)
    with refused("InvalidParameterException", "Username should be an email."):
        world.anyone.sign_up(ClientId=world.client_id, Username="ana", Password=PASSWORD)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"password": "Short-1"}, "InvalidPasswordException", f"{POLICY}: Password not long enough"),
        ({"password": "no-upper-77"}, "InvalidPasswordException", f"{POLICY}: Password must have uppercase characters"),
        ({"password": "No-numbers!"}, "InvalidPasswordException", f"{POLICY}: Password must have numeric characters"),
        ({"UserAttributes": NOT_THERE}, "InvalidParameterException", NONE_OF_THEM),
        ({"UserAttributes": [{"Name": "email", "Value": "no address"}]}, "InvalidParameterException", None),
        ({"UserAttributes": [{"Name": "sub", "Value": "x"}]}, "NotAuthorizedException", None),
        ({"UserAttributes": [{"Name": "email_verified", "Value": "true"}]}, "NotAuthorizedException", UNAUTHORIZED),
        ({"UserAttributes": TWICE}, "InvalidParameterException", "Attribute email is given twice."),
        ({"UserAttributes": [{"Name": "name", "Value": "x" * 2049}]}, "InvalidParameterException", None),
        ({"ClientId": "nosuchclient"}, "ResourceNotFoundException", "User pool client nosuchclient does not exist."),
        ({"Username": "two words"}, "InvalidParameterException", None),
    ],
)
def test_a_sign_up_that_breaks_a_rule_makes_no_account(
    world: World, change: dict[str, Any], code: str, text: str | None
) -> None:
    name = f"never-{secrets.token_hex(4)}"

    with refused(code, text):
        sign_up(world, name, **change)

    with refused("UserNotFoundException"):
        world.user(name)
    assert sign_up(world, name)


def test_a_sign_up_without_password_is_refused(world: World) -> None:
    with refused(
        "InvalidParameterException",
        "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null",
    ):
        world.anyone.sign_up(ClientId=world.client_id, Username="nopassword")


def test_a_name_is_taken_once(world: World) -> None:
    name, *_ = sign_up(world)

    with refused("UsernameExistsException", "User already exists"):
        sign_up(world, name)


def test_where_operators_make_accounts_nobody_signs_up(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}})

    with refused("NotAuthorizedException", "SignUp is not permitted for this user pool"):
        sign_up(world)


def test_a_client_with_a_secret_proves_it(world: World) -> None:
    client = world.new_client(GenerateSecret=True)
    given = {"ClientId": client["ClientId"]}
    name = f"new-{secrets.token_hex(4)}"

    with refused("NotAuthorizedException"):
        sign_up(world, name, **given)
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client['ClientId']}"):
        sign_up(world, name, **given, SecretHash=secret_hash(client, "other"))
    assert sign_up(world, name, **given, SecretHash=secret_hash(client, name))


def test_an_operator_confirms_without_a_code_and_without_verifying(world: World) -> None:
    name, *_ = sign_up(world)

    world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username=name)

    assert named(world.user(name)["UserAttributes"])["email_verified"] == "false"
    assert world.tokens(name)
    with refused("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"):
        world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username=name)
    with refused("UserNotFoundException", "User does not exist."):
        world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username="stranger")


def test_wrong_codes_kill_the_code(world: World) -> None:
    name, email, _ = sign_up(world)
    code = world.code(email)
    wrong = "000000" if code != "000000" else "000001"

    for _ in range(5):
        with refused("CodeMismatchException", MISMATCH):
            confirm(world, name, wrong)

    with refused("TooManyFailedAttemptsException"):
        confirm(world, name, code)
    assert world.user(name)["UserStatus"] == "UNCONFIRMED"


def test_a_code_of_another_person_or_pool_is_worthless(world: World, new_world: Callable[..., World]) -> None:
    one, email, _ = sign_up(world)
    code = world.code(email)  # before another pool writes to the same address
    other, *_ = sign_up(world)
    elsewhere = new_world()
    sign_up(elsewhere, one)

    with refused("CodeMismatchException", MISMATCH):
        confirm(world, other, code)
    with refused("CodeMismatchException", MISMATCH):
        confirm(elsewhere, one, code)
    confirm(world, one, code)


@pytest.mark.parametrize("code", ["0", "123 456", "x" * 2048, "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_a_code_that_is_none_never_fits(world: World, code: str) -> None:
    name, *_ = sign_up(world)

    with refused("InvalidParameterException" if " " in code else "CodeMismatchException"):
        confirm(world, name, code)


def test_a_code_comes_again_each_time_until_the_hours_limit(world: World) -> None:
    name, email, _ = sign_up(world)
    first = world.code(email)

    for _ in range(4):
        answer = world.anyone.resend_confirmation_code(ClientId=world.client_id, Username=name)
        assert answer["CodeDeliveryDetails"]["Destination"] == "n***@e***"
    with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
        world.anyone.resend_confirmation_code(ClientId=world.client_id, Username=name)

    last = world.code(email, count=5)
    if first != last:
        with refused("CodeMismatchException"):
            confirm(world, name, first)
    confirm(world, name, last)
    with refused("InvalidParameterException", "User is already confirmed."):
        world.anyone.resend_confirmation_code(ClientId=world.client_id, Username=name)


def test_unknown_users_are_told_apart_only_where_the_client_says_so(world: World) -> None:
    silent = world.new_client(PreventUserExistenceErrors="ENABLED")["ClientId"]
    unknown = f"stranger-{secrets.token_hex(4)}"

    with refused("UserNotFoundException", "Username/client id combination not found."):
        confirm(world, unknown, "123456")
    with refused("UserNotFoundException", "Username/client id combination not found."):
        world.anyone.resend_confirmation_code(ClientId=world.client_id, Username=unknown)
    with refused("ExpiredCodeException"):
        confirm(world, unknown, "123456", ClientId=silent)
    told = world.anyone.resend_confirmation_code(ClientId=silent, Username=unknown)["CodeDeliveryDetails"]
    assert set(told) == {"Destination", "DeliveryMedium", "AttributeName"}
    with refused("CodeMismatchException", MISMATCH):
        confirm(world, unknown, "123456", ClientId=silent)
