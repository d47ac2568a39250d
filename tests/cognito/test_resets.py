"""Passwords that an administrator ends, through boto3: what is sent, and what is shut until there is another."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.administrators import about, audited, codes_sent, sub_of, write
from tests.cognito.conftest import PASSWORD, World, refused
from tests.cognito.test_triggers import ONLY_TOLD, SENDERS, UNEXPECTED
from tests.live import Live

NEW = "Other-horse-88"
NOT_AUTHORIZED, REQUIRED = "NotAuthorizedException", "PasswordResetRequiredException"
ENDED = "Password reset required for the user"
NOT_NOW = "User password cannot be reset in the current state."
NO_ADDRESS = "Cannot reset password for the user as there is no registered/verified email or phone_number"


def reset(world: World, name: str) -> None:
    """End somebody's password."""
    about(world, name, "admin_reset_user_password")


def confirm(world: World, name: str, code: str, password: str = NEW) -> None:
    """Choose another by a code."""
    world.anyone.confirm_forgot_password(
        ClientId=world.client_id, Username=name, ConfirmationCode=code, Password=password
    )


def change(world: World, token: str) -> None:
    """Change one's own password."""
    world.anyone.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=NEW)


def test_an_ended_password_opens_nothing_until_another_is_chosen_by_the_code(world: World) -> None:
    name = world.person()
    email, tokens = f"{name}@example.com", world.tokens(name)

    reset(world, name)

    assert world.user(name)["UserStatus"] == "RESET_REQUIRED"
    mail = world.live.message(email)
    assert mail["subject"] == "Your password reset code"
    assert "An administrator ended the password of your account." in mail["body"]
    assert "still safe" not in mail["body"]
    with refused(REQUIRED, ENDED):
        world.sign_in(name)
    with refused(NOT_AUTHORIZED, "Incorrect username or password."):
        world.sign_in(name, "Wrong-horse-7")
    with refused(REQUIRED, ENDED):
        change(world, tokens["AccessToken"])
    # As at Amazon, what they hold stays good until they chose another.
    assert world.anyone.get_user(AccessToken=tokens["AccessToken"])["Username"] == name
    assert world.refresh(tokens["RefreshToken"])

    with refused("InvalidPasswordException"):
        confirm(world, name, world.code(email), "short")
    confirm(world, name, world.code(email))

    assert world.user(name)["UserStatus"] == "CONFIRMED"
    assert world.tokens(name, NEW)
    with refused(NOT_AUTHORIZED, "Incorrect username or password."):
        world.sign_in(name)
    with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
        world.refresh(tokens["RefreshToken"])
    rows = audited(world, sub_of(world, name))
    assert rows[-2:] == [("password_ended", "operator", "done"), ("password_reset", "visitor", "done")]


def test_another_code_may_be_asked_for_and_an_operator_may_set_a_password_instead(world: World) -> None:
    name = world.person()
    email = f"{name}@example.com"
    reset(world, name)
    first = world.code(email)
    world.anyone.forgot_password(ClientId=world.client_id, Username=name)
    second = world.code(email, count=2)
    reset(world, name)
    third = world.code(email, count=3)

    for old in {first, second} - {third}:
        with refused("CodeMismatchException"):
            confirm(world, name, old)
    about(world, name, "admin_set_user_password", Password=NEW, Permanent=True)

    assert world.tokens(name, NEW)
    with refused("ExpiredCodeException"):
        confirm(world, name, third)


@pytest.mark.parametrize(
    ("shown", "code", "text"),
    [("LEGACY", REQUIRED, ENDED), ("ENABLED", NOT_AUTHORIZED, "Invalid session for the user.")],
)
def test_a_sign_in_that_waits_for_its_code_gets_no_further(careful: World, shown: str, code: str, text: str) -> None:
    world, name = careful, careful.person()
    client = world.new_client(PreventUserExistenceErrors=shown)["ClientId"]
    right = world.enrol(world.tokens(name)["AccessToken"]).code()
    waiting = world.sign_in(name, client_id=client)
    assert waiting["ChallengeName"] == "SOFTWARE_TOKEN_MFA"

    reset(world, name)

    with refused(code, text):
        world.respond(waiting, name, client, SOFTWARE_TOKEN_MFA_CODE=right)
    about(world, name, "admin_set_user_password", Password=NEW, Permanent=True)
    with refused(NOT_AUTHORIZED, "Invalid session for the user."):
        world.respond(waiting, name, client, SOFTWARE_TOKEN_MFA_CODE=right)
    done = world.respond(world.sign_in(name, NEW), name, SOFTWARE_TOKEN_MFA_CODE=right)
    assert done["AuthenticationResult"]["AccessToken"]


def test_a_set_up_that_is_due_gets_no_further(new_world: Callable[..., World]) -> None:
    world = new_world()
    name = world.person()
    world.mfa("ON")
    waiting = world.sign_in(name)
    assert waiting["ChallengeName"] == "MFA_SETUP"
    begun = world.anyone.associate_software_token(Session=waiting["Session"])

    reset(world, name)

    with refused(NOT_AUTHORIZED):
        world.anyone.associate_software_token(Session=begun["Session"])
    with refused(REQUIRED, ENDED):
        world.anyone.verify_software_token(Session=begun["Session"], UserCode="123456")


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_sign_in_that_chose_a_password_dies_with_that_password_too(
    new_world: Callable[..., World], *, is_ended: bool
) -> None:
    world = new_world()
    world.mfa("ON")
    name = invited(world)
    about(world, name, "admin_set_user_password", Password=PASSWORD, Permanent=False)
    waiting = world.respond(world.sign_in(name), name, NEW_PASSWORD=NEW)
    assert waiting["ChallengeName"] == "MFA_SETUP"
    begun = world.anyone.associate_software_token(Session=waiting["Session"])

    if is_ended:
        reset(world, name)
    about(world, name, "admin_set_user_password", Password=PASSWORD, Permanent=True)

    with refused(NOT_AUTHORIZED, "Invalid session for the user."):
        world.anyone.associate_software_token(Session=begun["Session"])
    assert world.sign_in(name)["ChallengeName"] == "MFA_SETUP"


MAIL, PHONE = "verified_email", "verified_phone_number"


@pytest.mark.parametrize(
    ("mechanisms", "given", "by_phone"),
    [
        ([PHONE, MAIL], {"phone_number_verified": "true"}, True),
        ([MAIL, PHONE], {"phone_number_verified": "true"}, False),
        ([PHONE, MAIL], {"phone_number_verified": "false"}, False),
        ([MAIL, PHONE], {"phone_number_verified": "true", "email_verified": "false"}, True),
        ([], {"phone_number_verified": "true"}, False),
    ],
)
def test_the_code_goes_by_the_first_way_of_recovery_that_is_proven(
    new_world: Callable[..., World], mechanisms: list[str], given: dict[str, str], by_phone: bool
) -> None:
    ways = [{"Name": name, "Priority": number} for number, name in enumerate(mechanisms, 1)]
    world = new_world(pool={"AccountRecoverySetting": {"RecoveryMechanisms": ways}} if ways else {})
    phone = f"+49151{secrets.randbelow(10**7):07d}"
    name = world.person(phone_number=phone, **given)

    reset(world, name)

    assert codes_sent(world) == 1
    confirm(world, name, world.code(phone if by_phone else f"{name}@example.com"))
    assert world.tokens(name, NEW)


def unproven(world: World) -> str:
    """Return somebody without a proven address."""
    return world.person(email_verified="false")


def without(world: World) -> str:
    """Return somebody without any address."""
    name = world.person()
    about(world, name, "admin_delete_user_attributes", UserAttributeNames=["email"])
    return name


def invited(world: World) -> str:
    """Return somebody with a temporary password."""
    name = f"guest-{secrets.token_hex(4)}"
    given = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}]
    about(world, name, "admin_create_user", MessageAction="SUPPRESS", UserAttributes=given)
    return name


def unconfirmed(world: World) -> str:
    """Return somebody who signed up and never confirmed, whose address an operator vouches for."""
    name = f"new-{secrets.token_hex(4)}"
    given = [{"Name": "email", "Value": f"{name}@example.com"}]
    world.anyone.sign_up(ClientId=world.client_id, Username=name, Password=PASSWORD, UserAttributes=given)
    write(world, name, email_verified="true")
    return name


def disabled(world: World) -> str:
    """Return somebody who is disabled."""
    name = world.person()
    about(world, name, "admin_disable_user")
    return name


@pytest.mark.parametrize(
    ("make", "code", "text"),
    [
        (unproven, "InvalidParameterException", NO_ADDRESS),
        (without, "InvalidParameterException", NO_ADDRESS),
        (invited, NOT_AUTHORIZED, NOT_NOW),
        (unconfirmed, NOT_AUTHORIZED, NOT_NOW),
        (disabled, NOT_AUTHORIZED, "User is disabled."),
    ],
)
def test_who_cannot_be_sent_a_code_keeps_the_password(
    world: World, make: Callable[[World], str], code: str, text: str
) -> None:
    name = make(world)
    before = (world.user(name), audited(world, sub_of(world, name)), codes_sent(world))

    with refused(code, text):
        reset(world, name)

    assert (world.user(name), audited(world, sub_of(world, name)), codes_sent(world)) == before


def test_where_operators_alone_may_help_they_set_a_password(new_world: Callable[..., World]) -> None:
    alone = {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    world = new_world(pool={"AccountRecoverySetting": alone})
    name = world.person()

    with refused(NOT_AUTHORIZED, "Contact administrator to reset password."):
        reset(world, name)

    assert world.tokens(name)


def test_codes_are_limited_and_the_password_that_was_to_end_stays(world: World) -> None:
    name = world.person()
    for _ in range(5):
        reset(world, name)
    about(world, name, "admin_set_user_password", Password=NEW, Permanent=True)

    with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
        reset(world, name)

    assert world.user(name)["UserStatus"] == "CONFIRMED"
    assert world.tokens(name, NEW)


@pytest.fixture
def triggered(live: Live) -> Callable[..., World]:
    """Return what gives a pool triggers once somebody is in it."""
    world = World(live)

    def set_triggers(**triggers: Any) -> World:
        world.idp.update_user_pool(UserPoolId=world.pool_id, AutoVerifiedAttributes=["email"], LambdaConfig=triggers)
        return world

    return set_triggers


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: next(iter(sender)))
def test_no_password_is_ended_where_its_code_cannot_go(triggered: Callable[..., World], sender: dict[str, Any]) -> None:
    name = triggered().person()
    world = triggered(**sender)

    with refused(UNEXPECTED):
        reset(world, name)
    assert world.user(name)["UserStatus"] == "CONFIRMED"
    # An operator's word takes no message, and so no trigger.
    write(world, name, email=f"new-{name}@example.org", email_verified="true")

    triggered(**ONLY_TOLD)
    reset(world, name)
    assert world.code(f"new-{name}@example.org")
