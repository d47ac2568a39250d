"""User pools through boto3."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cognito.conftest import World, refused

NO_POOL = "us-east-1_nosuchone"


def test_a_pool_is_told_back_with_cognitos_defaults(world: World) -> None:
    pool = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]

    assert pool["Id"] == world.pool_id
    assert pool["Arn"] == f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{world.pool_id}"
    assert pool["Name"] == "test"
    assert pool["MfaConfiguration"] == "OFF"
    assert pool["LambdaConfig"] == {}
    assert pool["DeletionProtection"] == "INACTIVE"
    assert pool["UserPoolTier"] == "ESSENTIALS"
    assert "UsernameConfiguration" not in pool  # told only where it was set: Terraform would replace the pool
    assert pool["EmailConfiguration"] == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    assert pool["AutoVerifiedAttributes"] == ["email"]
    assert "AliasAttributes" not in pool
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is False
    policy = pool["Policies"]["PasswordPolicy"]
    assert (policy["MinimumLength"], policy["RequireUppercase"]) == (8, True)
    assert policy["TemporaryPasswordValidityDays"] == 7
    schema = {attribute["Name"]: attribute for attribute in pool["SchemaAttributes"]}
    assert len(schema) == 20
    assert schema["sub"]["Required"] is True
    assert schema["birthdate"]["StringAttributeConstraints"] == {"MinLength": "10", "MaxLength": "10"}


def test_what_was_set_is_told_back(new_world: Callable[..., World]) -> None:
    settings = {
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "Schema": [
            {"Name": "email", "Required": True, "AttributeDataType": "String", "Mutable": True},
            {"Name": "role", "AttributeDataType": "String", "Mutable": True},
        ],
        "Policies": {"PasswordPolicy": {"MinimumLength": 12, "RequireSymbols": False}},
        "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
        "UserPoolTags": {"Team": "blue"},
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
        "VerificationMessageTemplate": {"EmailSubject": "Hi", "EmailMessage": "Your code: {####}"},
    }

    pool = new_world(pool=settings).pool

    assert pool["UsernameAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert pool["AccountRecoverySetting"] == settings["AccountRecoverySetting"]
    assert pool["UserPoolTags"] == {"Team": "blue"}
    assert pool["UserAttributeUpdateSettings"] == settings["UserAttributeUpdateSettings"]
    assert pool["VerificationMessageTemplate"]["EmailSubject"] == "Hi"
    schema = {attribute["Name"]: attribute for attribute in pool["SchemaAttributes"]}
    assert schema["email"]["Required"] is True
    assert schema["custom:role"]["AttributeDataType"] == "String"


@pytest.mark.parametrize(
    "settings",
    [
        {"AliasAttributes": ["email"], "UsernameAttributes": ["email"]},
        {"LambdaConfig": {"PreSignUp": "arn:aws:sns:us-east-1:000000000000:f"}},
        {"MfaConfiguration": "ON"},
        {"Policies": {"PasswordPolicy": {"MinimumLength": 5}}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_cannot_be_honoured_is_refused(world: World, settings: dict[str, object]) -> None:
    with refused("InvalidParameterException"):
        world.idp.create_user_pool(PoolName="never", **settings)


def test_a_pool_without_a_name_is_refused_by_the_model(world: World) -> None:
    with refused(
        "InvalidParameterException",
        "1 validation error detected: Value '' at 'poolName' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ):
        world.idp.create_user_pool(PoolName="")


def test_a_deleted_pool_is_gone_with_its_client_and_people(new_world: Callable[..., World]) -> None:
    world = new_world()
    name = world.person()
    tokens = world.tokens(name)

    assert "UserPool" not in world.idp.delete_user_pool(UserPoolId=world.pool_id)

    with refused("ResourceNotFoundException", f"User pool {world.pool_id} does not exist."):
        world.idp.describe_user_pool(UserPoolId=world.pool_id)
    with refused("ResourceNotFoundException", f"User pool client {world.client_id} does not exist."):
        world.sign_in(name)
    with refused("NotAuthorizedException", "Invalid Access Token"):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])


def test_a_protected_pool_is_not_deleted(new_world: Callable[..., World]) -> None:
    world = new_world(pool={"DeletionProtection": "ACTIVE"})

    with refused("InvalidParameterException"):
        world.idp.delete_user_pool(UserPoolId=world.pool_id)

    assert world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]["DeletionProtection"] == "ACTIVE"


def test_pages_of_pools_neither_skip_nor_repeat(new_world: Callable[..., World]) -> None:
    made = {new_world().pool_id for _ in range(3)}
    paginator = new_world().idp.get_paginator("list_user_pools")
    made_pages = [page["UserPools"] for page in paginator.paginate(PaginationConfig={"PageSize": 2})]

    listed = [pool["Id"] for page in made_pages for pool in page]
    assert len(listed) == len(set(listed))
    assert made <= set(listed)
    assert all(len(page) <= 2 for page in made_pages)


def test_a_page_token_of_elsewhere_is_refused(world: World) -> None:
    world.new_client()
    token = world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=1)["NextToken"]

    for foreign in (token, "garbage"):
        with refused("InvalidParameterException", "Invalid pagination token given."):
            world.idp.list_user_pools(MaxResults=5, NextToken=foreign)


def test_second_factors_are_set_and_told(new_world: Callable[..., World]) -> None:
    world = new_world()
    before = world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)

    answer = world.idp.set_user_pool_mfa_config(
        UserPoolId=world.pool_id, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )

    after = world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)
    assert before["MfaConfiguration"] == "OFF"
    assert "SoftwareTokenMfaConfiguration" not in before
    for told in (answer, after):
        assert told["MfaConfiguration"] == "OPTIONAL"
        assert told["SoftwareTokenMfaConfiguration"] == {"Enabled": True}


@pytest.mark.parametrize(
    "settings",
    [
        {"MfaConfiguration": "ON"},
        {"MfaConfiguration": "ON", "EmailMfaConfiguration": {"Subject": "s", "Message": "your {####}"}},
        {"MfaConfiguration": "OFF", "SoftwareTokenMfaConfiguration": {"Enabled": True}},
    ],
)
def test_second_factors_that_contradict_or_are_missing_are_refused(
    new_world: Callable[..., World], settings: dict[str, object]
) -> None:
    world = new_world()

    with refused("InvalidParameterException"):
        world.idp.set_user_pool_mfa_config(UserPoolId=world.pool_id, **settings)

    assert world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)["MfaConfiguration"] == "OFF"


@pytest.mark.parametrize(
    "operation",
    ["describe_user_pool", "delete_user_pool", "get_user_pool_mfa_config", "set_user_pool_mfa_config", "list_users"],
)
def test_an_unknown_pool_is_not_found(world: World, operation: str) -> None:
    with refused("ResourceNotFoundException", f"User pool {NO_POOL} does not exist."):
        getattr(world.idp, operation)(UserPoolId=NO_POOL)
