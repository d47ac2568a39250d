"""UpdateUserPool through boto3: what is left out, what stays, and two at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.cognito.conftest import World, refused

RICH: dict[str, Any] = {
    "UsernameAttributes": ["email"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "Schema": [{"Name": "role", "AttributeDataType": "String", "Mutable": True}],
    "AutoVerifiedAttributes": ["email"],
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "Policies": {"PasswordPolicy": {"MinimumLength": 12, "RequireSymbols": False}},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]},
    "UserPoolTags": {"Team": "blue"},
    "UserPoolTier": "LITE",
    "DeletionProtection": "ACTIVE",
    "VerificationMessageTemplate": {"EmailSubject": "Hi", "EmailMessage": "Your code: {####}"},
}


def told(world: World) -> dict[str, Any]:
    """Return the pool as it is described, without when it was changed."""
    pool: dict[str, Any] = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
    return {name: value for name, value in pool.items() if name != "LastModifiedDate"}


def test_what_an_update_leaves_out_is_the_default_again_but_for_what_stays(new_world: Callable[..., World]) -> None:
    world, fixed = new_world(pool=RICH), ("UsernameAttributes", "UsernameConfiguration", "Schema")
    plain = told(new_world(pool={name: RICH[name] for name in fixed} | {"AutoVerifiedAttributes": []}))
    world.mfa("OPTIONAL")

    world.idp.update_user_pool(UserPoolId=world.pool_id)

    after = told(world)
    assert {name for name in {*after, *plain} if after.get(name) != plain.get(name)} == {
        "Id",
        "Arn",
        "CreationDate",
        "UserPoolTags",
        "MfaConfiguration",
    }
    assert (after["UserPoolTags"], after["MfaConfiguration"]) == ({"Team": "blue"}, "OPTIONAL")
    assert world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)["SoftwareTokenMfaConfiguration"] == {
        "Enabled": True
    }


def test_what_an_update_names_is_so_at_once(new_world: Callable[..., World]) -> None:
    world = new_world(pool=RICH)
    given = {name: RICH[name] for name in ("AutoVerifiedAttributes", "AccountRecoverySetting")}

    world.idp.update_user_pool(
        UserPoolId=world.pool_id,
        PoolName="Other",
        UserPoolTags={},
        Policies={"PasswordPolicy": {"MinimumLength": 30}},
        **given,
    )

    after = told(world)
    assert (after["Name"], after["UserPoolTags"]) == ("Other", {})
    assert after["UserAttributeUpdateSettings"] == RICH["UserAttributeUpdateSettings"]
    assert after["AccountRecoverySetting"] == RICH["AccountRecoverySetting"]
    with refused("InvalidPasswordException", "Password did not conform with policy: Password not long enough"):
        world.anyone.sign_up(ClientId=world.client_id, Username="jo@example.com", Password="Correct-horse-7")


def test_addresses_that_are_verified_before_they_change_follow_those_verified_at_sign_up(
    new_world: Callable[..., World],
) -> None:
    world = new_world(pool=RICH)
    update = {"AttributesRequireVerificationBeforeUpdate": ["email"]}

    with refused(
        "InvalidParameterException",
        "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes",
    ):
        world.idp.update_user_pool(UserPoolId=world.pool_id, UserAttributeUpdateSettings=update)
    assert told(world)["UserAttributeUpdateSettings"] == update

    world.idp.update_user_pool(UserPoolId=world.pool_id)

    assert told(world)["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": []}


def test_a_second_factor_is_turned_off_by_an_update(new_world: Callable[..., World]) -> None:
    world = new_world()
    with refused(
        "InvalidParameterException",
        "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.",
    ):
        world.idp.update_user_pool(UserPoolId=world.pool_id, MfaConfiguration="ON")
    world.idp.set_user_pool_mfa_config(
        UserPoolId=world.pool_id,
        MfaConfiguration="ON",
        SoftwareTokenMfaConfiguration={"Enabled": True},
        EmailMfaConfiguration={},
    )

    world.idp.update_user_pool(UserPoolId=world.pool_id, MfaConfiguration="OFF")

    assert world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)["MfaConfiguration"] == "OFF"
    assert "AuthenticationResult" in world.sign_in(world.person())


def test_a_protected_pool_is_deleted_after_an_update(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"DeletionProtection": "ACTIVE"})
    with refused(
        "InvalidParameterException",
        "The user pool cannot be deleted because deletion protection is activated. "
        "Deletion protection must be inactivated first.",
    ):
        world.idp.delete_user_pool(UserPoolId=world.pool_id)

    world.idp.update_user_pool(UserPoolId=world.pool_id, DeletionProtection="INACTIVE")

    world.idp.delete_user_pool(UserPoolId=world.pool_id)


def test_two_updates_at_once_end_as_one_after_the_other(new_world: Callable[..., World]) -> None:
    world, barrier = new_world(), Barrier(2)
    ways: list[dict[str, Any]] = [
        {"PoolName": "One", "UserPoolTier": "LITE", "AutoVerifiedAttributes": ["email"]},
        {"PoolName": "Two", "DeletionProtection": "ACTIVE"},
    ]

    def update(way: dict[str, Any]) -> None:
        barrier.wait(30)
        world.idp.update_user_pool(UserPoolId=world.pool_id, **way)

    with ThreadPoolExecutor(2) as both:
        list(both.map(update, ways))

    pool = told(world)
    found = pool["Name"], pool["UserPoolTier"], pool["DeletionProtection"], pool.get("AutoVerifiedAttributes")
    assert found in [("One", "LITE", "INACTIVE", ["email"]), ("Two", "ESSENTIALS", "ACTIVE", None)]
