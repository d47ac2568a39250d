"""Passwords through boto3: forgotten, changed, set."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from tests.cognito.conftest import PASSWORD, World, refused

NEW = "Other-horse-88"
WRONG = "Incorrect username or password."
MISMATCH = "Invalid verification code provided, please try again."


def reset(world: World, name: str, code: str, password: str = NEW, client_id: str = "") -> None:
    world.anyone.confirm_forgot_password(
        ClientId=client_id or world.client_id, Username=name, ConfirmationCode=code, Password=password
    )


def test_a_forgotten_password_is_replaced_by_code(world: World) -> None:
    name = world.person()

    answer = world.anyone.forgot_password(ClientId=world.client_id, Username=name)

    assert answer["CodeDeliveryDetails"] == {
        "Destination": "p***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    code = world.code(f"{name}@example.com")
    with refused("CodeMismatchException", MISMATCH):
        reset(world, name, "000000" if code != "000000" else "000001")
    with refused("InvalidPasswordException"):
        reset(world, name, code, "short")
    reset(world, name, code)
    assert world.tokens(name, NEW)
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)
    with refused("ExpiredCodeException"):
        reset(world, name, code, PASSWORD)


def test_what_cannot_be_recovered_is_told(world: World) -> None:
    unproven = world.person(email_verified="false")
    invited = f"guest-{secrets.token_hex(4)}"
    world.idp.admin_create_user(UserPoolId=world.pool_id, Username=invited, MessageAction="SUPPRESS")

    with refused(
        "InvalidParameterException",
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
    ):
        world.anyone.forgot_password(ClientId=world.client_id, Username=unproven)
    with refused("NotAuthorizedException", "User password cannot be reset in the current state."):
        world.anyone.forgot_password(ClientId=world.client_id, Username=invited)
    with refused("UserNotFoundException"):
        world.anyone.forgot_password(ClientId=world.client_id, Username="stranger")
    with refused("ExpiredCodeException"):
        reset(world, unproven, "123456")


def test_unknown_users_look_like_people_where_the_client_says_so(world: World) -> None:
    silent = world.new_client(PreventUserExistenceErrors="ENABLED")["ClientId"]
    person, unproven = world.person(), world.person(email_verified="false")
    unknown = f"stranger-{secrets.token_hex(4)}"

    for name in (person, unproven, unknown):
        told = world.anyone.forgot_password(ClientId=silent, Username=name)["CodeDeliveryDetails"]
        assert set(told) == {"Destination", "DeliveryMedium", "AttributeName"}
        assert (told["DeliveryMedium"], told["AttributeName"]) == ("EMAIL", "email")
        assert told == world.anyone.forgot_password(ClientId=silent, Username=name)["CodeDeliveryDetails"]
        with refused("CodeMismatchException", MISMATCH):
            reset(world, name, "x00000", client_id=silent)


def test_a_password_is_changed_by_who_knows_it(world: World) -> None:
    name = world.person()
    token = world.tokens(name)["AccessToken"]

    with refused("NotAuthorizedException", WRONG):
        world.anyone.change_password(AccessToken=token, PreviousPassword="Wrong-horse-7", ProposedPassword=NEW)
    with refused("NotAuthorizedException", WRONG):
        world.anyone.change_password(AccessToken=token, ProposedPassword=NEW)
    with refused("InvalidPasswordException"):
        world.anyone.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="short")
    world.anyone.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=NEW)
    assert world.tokens(name, NEW)
    assert world.anyone.get_user(AccessToken=token)["Username"] == name
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)


@pytest.mark.parametrize(("permanent", "status"), [(True, "CONFIRMED"), (False, "FORCE_CHANGE_PASSWORD")])
def test_an_operator_sets_a_password(world: World, permanent: bool, status: str) -> None:
    name = world.person()
    given = {"UserPoolId": world.pool_id, "Username": name, "Permanent": permanent}

    with refused("InvalidPasswordException"):
        world.idp.admin_set_user_password(**given, Password="short")
    world.idp.admin_set_user_password(**given, Password=NEW)

    assert world.user(name)["UserStatus"] == status
    answer = world.sign_in(name, NEW)
    assert ("AuthenticationResult" in answer) is permanent
    with refused("NotAuthorizedException", WRONG):
        world.sign_in(name)


def test_an_operators_password_is_for_someone_of_the_pool(world: World, new_world: Callable[..., World]) -> None:
    name = world.person()
    other = new_world()

    with refused("UserNotFoundException", "User does not exist."):
        world.idp.admin_set_user_password(UserPoolId=other.pool_id, Username=name, Password=NEW, Permanent=True)
    assert world.tokens(name)
