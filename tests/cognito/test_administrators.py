"""What administrators do with a user through boto3, and what the user sees of it.

Attributes and factors are in ``test_administered_attributes`` and ``_factors``, ended passwords in ``test_resets``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.cognito.administrators import about, audited, sub_of, write
from tests.cognito.conftest import PASSWORD, World, refused

INVALID, NOT_AUTHORIZED, NOBODY = "InvalidParameterException", "NotAuthorizedException", "UserNotFoundException"
NO_CODE = "Invalid code provided, please request a code again."
ROLE = "arn:aws:iam::000000000000:role/Member"
EVERY: dict[str, dict[str, Any]] = {
    "admin_update_user_attributes": {"UserAttributes": [{"Name": "nickname", "Value": "Nick"}]},
    "admin_delete_user_attributes": {"UserAttributeNames": ["nickname"]},
    "admin_set_user_mfa_preference": {"SoftwareTokenMfaSettings": {"Enabled": False}},
    "admin_set_user_settings": {"MFAOptions": []},
    "admin_delete_software_token": {},
    "admin_get_user_auth_factors": {},
    "admin_list_groups_for_user": {},
    "admin_user_global_sign_out": {},
    "admin_disable_user": {},
    "admin_enable_user": {},
    "admin_reset_user_password": {},
    "admin_delete_user": {},
}
TAGS = {
    "admin_update_user_attributes": "attributes_changed",
    "admin_delete_user_attributes": "attributes_changed",
    "admin_set_user_mfa_preference": "mfa_preference_set",
    "admin_delete_software_token": "factor_removed",
    "admin_user_global_sign_out": "signed_out_everywhere",
    "admin_disable_user": "user_disabled",
    "admin_enable_user": "user_enabled",
    "admin_reset_user_password": "password_ended",
    "admin_delete_user": "user_deleted",
}


@pytest.mark.parametrize("called", ["username", "sub", "email", "preferred_username"])
def test_somebody_is_called_by_any_name_that_signs_in(aliased: World, called: str) -> None:
    world, name = aliased, aliased.person()
    write(world, name, preferred_username=f"star-{name}")
    sub = sub_of(world, name)
    by = {"username": name, "sub": sub, "email": f"{name}@example.com", "preferred_username": f"star-{name}"}[called]
    world.enrol(world.tokens(name)["AccessToken"])
    before = len(audited(world, sub))

    answers = {operation: about(world, by, operation, **more) for operation, more in EVERY.items()}

    for answer in answers.values():
        del answer["ResponseMetadata"]
    told = {operation: answer for operation, answer in answers.items() if answer}
    assert told == {
        "admin_get_user_auth_factors": {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD"]},
        "admin_list_groups_for_user": {"Groups": []},
    }
    expected = [(TAGS[operation], "operator", "done") for operation in EVERY if operation in TAGS]
    assert audited(world, sub, since=before) == expected


@pytest.mark.parametrize("operation", EVERY)
def test_nobody_else_is_meant(aliased: World, world: World, operation: str) -> None:
    unproven = aliased.person(email_verified="false")
    other = world.person()
    before = (aliased.user(unproven), world.user(other))

    for name in ("stranger", f"{unproven}@example.com", other, sub_of(world, other), f"{other}@example.com"):
        with refused(NOBODY, "User does not exist."):
            about(aliased, name, operation, **EVERY[operation])

    assert (aliased.user(unproven), world.user(other)) == before


# -- accounts --------------------------------------------------------------------------------------------------------


def all_refused(calls: Iterable[Callable[[], Any]], code: str, text: str | None = None) -> None:
    """Expect each call to be refused alike."""
    for call in calls:
        with refused(code, text):
            call()


def test_a_deleted_user_is_gone_at_once_with_all_that_was_theirs(aliased: World) -> None:
    world, name = aliased, aliased.person()
    sub, tokens = sub_of(world, name), world.tokens(name)
    world.idp.create_group(UserPoolId=world.pool_id, GroupName=f"of-{name}")
    about(world, name, "admin_add_user_to_group", GroupName=f"of-{name}")
    world.anyone.forgot_password(ClientId=world.client_id, Username=name)
    code = world.code(f"{name}@example.com")

    about(world, name, "admin_delete_user")

    for gone in (name, sub, f"{name}@example.com"):
        with refused(NOBODY, "User does not exist."):
            about(world, gone, "admin_delete_user")
    with refused(NOBODY, "User does not exist."):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])
    with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
        world.refresh(tokens["RefreshToken"])
    with refused(NOBODY, "User does not exist."):
        world.sign_in(name)
    assert world.idp.list_users_in_group(UserPoolId=world.pool_id, GroupName=f"of-{name}")["Users"] == []
    assert world.person(name) == name
    assert sub_of(world, name) != sub
    with refused("ExpiredCodeException", NO_CODE):
        world.anyone.confirm_forgot_password(
            ClientId=world.client_id, Username=name, ConfirmationCode=code, Password=PASSWORD
        )
    assert about(world, name, "admin_list_groups_for_user")["Groups"] == []


def test_who_is_disabled_gets_nowhere_until_enabled_and_old_tokens_stay_dead(careful: World) -> None:
    world, name = careful, careful.person()
    tokens = world.tokens(name)
    code = world.enrol(tokens["AccessToken"]).code()
    waiting = world.sign_in(name)

    for _ in range(2):
        about(world, name, "admin_disable_user")

    assert world.user(name)["Enabled"] is False
    calls = (
        lambda: world.sign_in(name),
        lambda: world.respond(waiting, name, SOFTWARE_TOKEN_MFA_CODE=code),
        lambda: world.anyone.get_user(AccessToken=tokens["AccessToken"]),
        lambda: world.refresh(tokens["RefreshToken"]),
        lambda: world.anyone.forgot_password(ClientId=world.client_id, Username=name),
        lambda: about(world, name, "admin_reset_user_password"),
    )
    all_refused(calls, NOT_AUTHORIZED, "User is disabled.")
    with refused(NOT_AUTHORIZED, "Incorrect username or password."):
        world.sign_in(name, "Wrong-horse-7")

    for _ in range(2):
        about(world, name, "admin_enable_user")

    assert world.user(name)["Enabled"] is True
    with refused(NOT_AUTHORIZED, "Access Token has been revoked"):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])
    with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
        world.refresh(tokens["RefreshToken"])
    with refused(NOT_AUTHORIZED, "Invalid session for the user."):
        world.respond(waiting, name, SOFTWARE_TOKEN_MFA_CODE=code)
    done = world.respond(world.sign_in(name), name, SOFTWARE_TOKEN_MFA_CODE=code)
    assert done["AuthenticationResult"]["AccessToken"]


def test_a_global_sign_out_ends_every_token_and_no_other_persons(world: World) -> None:
    name, other = world.person(), world.person()
    all_of, others = [world.tokens(name), world.tokens(name)], world.tokens(other)

    for _ in range(2):
        about(world, name, "admin_user_global_sign_out")

    for tokens in all_of:
        with refused(NOT_AUTHORIZED, "Access Token has been revoked"):
            world.anyone.get_user(AccessToken=tokens["AccessToken"])
        with refused(NOT_AUTHORIZED, "Refresh Token has been revoked"):
            world.refresh(tokens["RefreshToken"])
    assert world.anyone.get_user(AccessToken=world.tokens(name)["AccessToken"])["Username"] == name
    assert world.refresh(others["RefreshToken"])


# -- groups ----------------------------------------------------------------------------------------------------------


def test_groups_of_a_user_come_in_pages_the_weightiest_first(new_world: Callable[..., World]) -> None:
    world = new_world()
    name, other = world.person(), world.person()
    weights = {"b": 1, "last-b": None, "a": 1, "zero": 0, "last-a": None, "heavy": 2**31 - 1, "five": 5}
    for group, weight in weights.items():
        more = {} if weight is None else {"Precedence": weight}
        world.idp.create_group(UserPoolId=world.pool_id, GroupName=group, RoleArn=ROLE, **more)
        about(world, name, "admin_add_user_to_group", GroupName=group)
    world.idp.create_group(UserPoolId=world.pool_id, GroupName="not-theirs", Precedence=0)
    about(world, other, "admin_add_user_to_group", GroupName="not-theirs")
    in_order = ["zero", "a", "b", "five", "heavy", "last-a", "last-b"]

    for size in (1, 2, 3, 6, 7, 60):
        pages = world.idp.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=world.pool_id, Username=name, PaginationConfig={"PageSize": size}
        )
        assert [group["GroupName"] for page in pages for group in page["Groups"]] == in_order, size

    whole = about(world, name, "admin_list_groups_for_user", Limit=0)
    assert "NextToken" not in whole
    one = world.idp.get_group(UserPoolId=world.pool_id, GroupName="zero")["Group"]
    assert whole["Groups"][0] == one
    token = about(world, name, "admin_list_groups_for_user", Limit=1)["NextToken"]
    about(world, name, "admin_remove_user_from_group", GroupName="a")
    follows = about(world, name, "admin_list_groups_for_user", Limit=2, NextToken=token)["Groups"]
    assert [group["GroupName"] for group in follows] == ["b", "five"]
    for whose, given in ((other, token), (name, "forged")):
        with refused(INVALID, "Invalid pagination token given."):
            about(world, whose, "admin_list_groups_for_user", NextToken=given)
    with refused(INVALID):
        about(world, name, "admin_list_groups_for_user", Limit=61)
