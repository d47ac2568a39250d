"""What Amazon tells where nothing was said, member by member: nothing more, and nothing less.

What is expected is written down from Amazon's API reference and from answers of the real service
that people have printed in public; where it is one of those, the line says which.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import urlsafe_b64decode
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.live import NOTICES

BOUNDS = {"MinLength": "0", "MaxLength": "2048"}
PATTERNS = {
    "POOL ARN": r"arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_[0-9a-zA-Z]{9}",
    "POOL": r"us-east-1_[0-9a-zA-Z]{9}",
    "IDENTITY POOL": r"us-east-1:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "CLIENT": r"[0-9a-z]{26}",
    "SECRET": r"[0-9a-z]{50,52}",
    "UUID": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


def attribute(name: str, **more: Any) -> dict[str, Any]:
    """Return an attribute of the schema as it is told where nothing was said of it."""
    unsaid = {"AttributeDataType": "String", "DeveloperOnlyAttribute": False, "Mutable": True, "Required": False}
    told = {"Name": name, **unsaid, **more}
    return told if told["AttributeDataType"] != "String" else {"StringAttributeConstraints": BOUNDS, **told}


# Twenty, in this order; the unnamed can be changed.
SCHEMA = [
    attribute("sub", Mutable=False, Required=True, StringAttributeConstraints={"MinLength": "1", "MaxLength": "2048"}),
    *map(attribute, ("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username")),
    *map(attribute, ("profile", "picture", "website", "email")),
    attribute("email_verified", AttributeDataType="Boolean"),
    attribute("gender"),
    attribute("birthdate", StringAttributeConstraints={"MinLength": "10", "MaxLength": "10"}),
    *map(attribute, ("zoneinfo", "locale", "phone_number")),
    attribute("phone_number_verified", AttributeDataType="Boolean"),
    attribute("address"),
    attribute("updated_at", AttributeDataType="Number", NumberAttributeConstraints={"MinValue": "0"}),
]
PASSWORD_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
MADE_POOL: dict[str, Any] = {
    "Id": "POOL",
    "Arn": "POOL ARN",
    "Name": "plain",
    "CreationDate": "TIME",
    "LastModifiedDate": "TIME",
    "SchemaAttributes": SCHEMA,
    "EstimatedNumberOfUsers": 0,
    "MfaConfiguration": "OFF",  # 1.1, as the next five
    "DeletionProtection": "INACTIVE",
    "UserPoolTier": "ESSENTIALS",
    "LambdaConfig": {},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "Policies": {
        "PasswordPolicy": PASSWORD_POLICY,
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]},  # C.2
    },
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},  # C.2
    "AccountRecoverySetting": {  # C.2
        "RecoveryMechanisms": [
            {"Priority": 1, "Name": "verified_email"},
            {"Priority": 2, "Name": "verified_phone_number"},
        ]
    },
    # 1.1: "effective"; the four names are in the model's text of CreateUserPool's member.
    "AcrConfiguration": {f"Level{level}": {"AcrValue": f"urn:cognito:loa:{level}"} for level in (1, 2, 3, 4)},
    # Printed by create-user-pool in December 2024, and by describe-user-pool in July 2025.
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": []},
}
# Those two again: create-user-pool told no tags where there were none, describe-user-pool did.
NAME_ONLY_POOL = {**MADE_POOL, "UserPoolTags": {}}

# 1.2; printed by create-user-pool-client in August 2023 and November 2024.
NAME_ONLY_CLIENT: dict[str, Any] = {
    "UserPoolId": "POOL",
    "ClientName": "plain",
    "ClientId": "CLIENT",
    "CreationDate": "TIME",
    "LastModifiedDate": "TIME",
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {},
    "AllowedOAuthFlowsUserPoolClient": False,
    "EnableTokenRevocation": True,
    "EnablePropagateAdditionalUserContextData": False,
    "AuthSessionValidity": 3,
    "ClientType": "REGULAR",  # by the model: how a client was created
}
# Printed by create-identity-pool and describe-identity-pool in July 2024: no AllowClassicFlow, but tags.
NAME_ONLY_IDENTITY_POOL: dict[str, Any] = {
    "IdentityPoolId": "IDENTITY POOL",
    "IdentityPoolName": "plain",
    "AllowUnauthenticatedIdentities": True,
    "IdentityPoolTags": {},
}


def plain(told: Any) -> Any:  # noqa: ANN401 - any answer
    """Return an answer with what differs from one call to the next replaced by what kind of thing it is."""
    match told:
        case dict():
            return {name: plain(value) for name, value in told.items() if name != "ResponseMetadata"}
        case list():
            return [plain(value) for value in told]
        case datetime():
            return "TIME"
        case str():
            return next((kind for kind, pattern in PATTERNS.items() if re.fullmatch(pattern, told)), told)
    return told


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the members of an answer that differ from another's; gone ones as None."""
    return {name: after.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_pool_made_by_name_alone_is_told_as_amazon_does(world: World) -> None:
    made = world.idp.create_user_pool(PoolName="plain")["UserPool"]
    pool_id = made["Id"]

    assert plain(made) == MADE_POOL
    assert plain(world.idp.describe_user_pool(UserPoolId=pool_id)["UserPool"]) == NAME_ONLY_POOL
    # 1.1: an OFF pool tells just that.
    assert plain(world.idp.get_user_pool_mfa_config(UserPoolId=pool_id)) == {"MfaConfiguration": "OFF"}
    server = world.idp.create_resource_server(UserPoolId=pool_id, Identifier="photos", Name="Photos")
    assert plain(server["ResourceServer"]) == {
        "UserPoolId": "POOL",
        "Identifier": "photos",
        "Name": "Photos",
        "Scopes": [],
    }
    listed = world.idp.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60})
    line = next(line for page in listed for line in page["UserPools"] if line["Id"] == pool_id)
    assert plain(line) == {
        "Id": "POOL",
        "Name": "plain",
        "LambdaConfig": {},
        "CreationDate": "TIME",
        "LastModifiedDate": "TIME",
    }


YOURS = "Yours is {####}."
LINK = "Click {##here##}."
BY_CODE = {"DefaultEmailOption": "CONFIRM_WITH_CODE"}


def days(count: int) -> dict[str, Any]:
    """Return what a pool tells whose temporary passwords are good for so many days."""
    policies = deepcopy(MADE_POOL["Policies"])
    policies["PasswordPolicy"]["TemporaryPasswordValidityDays"] = count
    told: dict[str, Any] = {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": count}
    return {"Policies": policies, "AdminCreateUserConfig": told}


def with_schema(*own: dict[str, Any]) -> dict[str, Any]:
    """Return what a pool tells of its schema, some of it its own."""
    by_name = {each["Name"]: each for each in own}
    standard = [by_name.pop(each["Name"], each) for each in SCHEMA]
    return {"SchemaAttributes": [*standard, *by_name.values()]}


MEMBERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # C.2: named without Mutable, an attribute cannot be changed, standard or custom.
    ({"Schema": [{"Name": "email"}]}, with_schema(attribute("email", Mutable=False))),
    (
        {"Schema": [{"Name": "email", "Required": True, "Mutable": True}, {"Name": "name", "Required": True}]},
        with_schema(attribute("email", Required=True), attribute("name", Mutable=False, Required=True)),
    ),
    (
        {"Schema": [{"Name": "on", "AttributeDataType": "Boolean"}, {"Name": "level", "AttributeDataType": "Number"}]},
        with_schema(
            attribute("custom:on", AttributeDataType="Boolean", Mutable=False),
            attribute("custom:level", AttributeDataType="Number", Mutable=False, NumberAttributeConstraints={}),
        ),
    ),
    (
        {"Schema": [{"Name": "role", "AttributeDataType": "String", "Mutable": True}]},
        with_schema(attribute("custom:role", StringAttributeConstraints={})),
    ),
    # 1.1 and C.2: the older members and the template mirror one another, in both directions.
    (
        {"EmailVerificationMessage": YOURS},
        {"EmailVerificationMessage": YOURS, "VerificationMessageTemplate": {**BY_CODE, "EmailMessage": YOURS}},
    ),
    (
        {"EmailVerificationSubject": "Hello"},
        {"EmailVerificationSubject": "Hello", "VerificationMessageTemplate": {**BY_CODE, "EmailSubject": "Hello"}},
    ),
    (
        {"SmsVerificationMessage": YOURS},
        {"SmsVerificationMessage": YOURS, "VerificationMessageTemplate": {**BY_CODE, "SmsMessage": YOURS}},
    ),
    (
        {"VerificationMessageTemplate": {"EmailMessage": YOURS, "EmailSubject": "Hello", "SmsMessage": YOURS}},
        {
            "EmailVerificationMessage": YOURS,
            "EmailVerificationSubject": "Hello",
            "SmsVerificationMessage": YOURS,
            "VerificationMessageTemplate": {
                **BY_CODE,
                "EmailMessage": YOURS,
                "EmailSubject": "Hello",
                "SmsMessage": YOURS,
            },
        },
    ),
    (
        {"VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK", "EmailMessageByLink": LINK}},
        {"VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK", "EmailMessageByLink": LINK}},
    ),
    # C.2: zero counts as not given; 8.3: the two members mean one thing.
    ({"AdminCreateUserConfig": {"UnusedAccountValidityDays": 0}}, {}),
    ({"AdminCreateUserConfig": {"UnusedAccountValidityDays": 10}}, days(10)),
    ({"Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 0}}}, {}),
    ({"Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}}}, days(3)),
    (
        {
            "AdminCreateUserConfig": {"UnusedAccountValidityDays": 0},
            "Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}},
        },
        days(3),
    ),
    (
        {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}},
        {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 7}},
    ),
    # A policy that is given says no to each rule that it leaves out.
    (
        {"Policies": {"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True}}},
        {
            "Policies": {
                **MADE_POOL["Policies"],
                "PasswordPolicy": {
                    **{name: False for name in PASSWORD_POLICY if name.startswith("Require")},
                    "MinimumLength": 12,
                    "RequireNumbers": True,
                    "TemporaryPasswordValidityDays": 7,
                },
            }
        },
    ),
    ({"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}}, {}),
    (
        {"AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]}},
        {"AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]}},
    ),
    ({"AccountRecoverySetting": {}}, {}),
    ({"AcrConfiguration": {"Level2": {"AcrValue": "urn:cognito:loa:2"}}}, {}),
    (
        {"AcrConfiguration": {"Level2": {"AcrValue": "gold"}}},
        {"AcrConfiguration": {**MADE_POOL["AcrConfiguration"], "Level2": {"AcrValue": "gold"}}},
    ),
    *(
        ({member: value}, {member: value})
        for member, value in (
            ("KeyConfiguration", {"KeyType": "AWS_OWNED_KEY"}),
            ("IssuerConfiguration", {"Type": "ORIGINAL"}),
            ("IssuerConfiguration", {"Type": "UPDATED"}),
        )
    ),
    ({"KeyConfiguration": {}, "IssuerConfiguration": {}, "AcrConfiguration": {}}, {}),
    ({"LambdaConfig": {}, "UserPoolTags": {}, "UserAttributeUpdateSettings": {}, "EmailConfiguration": {}}, {}),
    ({"UserPoolTags": {"team": "blue"}}, {"UserPoolTags": {"team": "blue"}}),
    ({"UsernameConfiguration": {"CaseSensitive": True}}, {"UsernameConfiguration": {"CaseSensitive": True}}),
    ({"DeletionProtection": "ACTIVE"}, {"DeletionProtection": "ACTIVE"}),
    ({"AutoVerifiedAttributes": []}, {}),
]


@pytest.mark.parametrize(("given", "told"), MEMBERS, ids=lambda value: json.dumps(value)[:50])
def test_one_member_that_is_given_changes_what_follows_from_it_and_no_more(
    world: World, given: dict[str, Any], told: dict[str, Any]
) -> None:
    made = world.idp.create_user_pool(PoolName="plain", **given)["UserPool"]
    described = world.idp.describe_user_pool(UserPoolId=made["Id"])["UserPool"]

    assert changed(MADE_POOL, plain(made)) == told
    assert changed(NAME_ONLY_POOL, plain(described)) == told


@pytest.mark.parametrize("unused", [3, 7])
def test_days_given_by_both_names_are_refused_as_amazon_does(world: World, unused: int) -> None:
    with refused(
        "InvalidParameterException",
        "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
    ):
        world.idp.create_user_pool(
            PoolName="never",
            AdminCreateUserConfig={"UnusedAccountValidityDays": unused},
            Policies={"PasswordPolicy": {"TemporaryPasswordValidityDays": 7}},
        )


FLOWS = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"GenerateSecret": True}, {"ClientSecret": "SECRET"}),
        (FLOWS, FLOWS),
        ({"PreventUserExistenceErrors": "LEGACY"}, {"PreventUserExistenceErrors": "LEGACY"}),
        ({"ReadAttributes": ["email"]}, {"ReadAttributes": ["email"]}),
        ({"SupportedIdentityProviders": ["COGNITO"]}, {"SupportedIdentityProviders": ["COGNITO"]}),
        # Printed in December 2024: amounts alone have no units.
        ({"AccessTokenValidity": 3, "IdTokenValidity": 3}, {"AccessTokenValidity": 3, "IdTokenValidity": 3}),
        ({"RefreshTokenValidity": 0}, {}),  # 1.2: thirty days
        # C.2: all three units once any is given, the others their defaults.
        (
            {"IdTokenValidity": 20, "TokenValidityUnits": {"IdToken": "minutes"}},
            {
                "IdTokenValidity": 20,
                "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "minutes", "RefreshToken": "days"},
            },
        ),
        (
            {"RefreshTokenValidity": 12, "TokenValidityUnits": {"RefreshToken": "hours"}},
            {
                "RefreshTokenValidity": 12,
                "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "hours"},
            },
        ),
        (
            {"TokenValidityUnits": {"AccessToken": "minutes"}},
            {"TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "days"}},
        ),
        # Thirty is thirty days: that is told, and not thirty of what was given without an amount.
        (
            {"TokenValidityUnits": {"RefreshToken": "hours"}},
            {"TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"}},
        ),
        ({"TokenValidityUnits": {}}, {}),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_client_is_told_as_amazon_does(world: World, given: dict[str, Any], told: dict[str, Any]) -> None:
    about = {"UserPoolId": world.pool_id}

    made = world.idp.create_user_pool_client(**about, ClientName="plain", **given)["UserPoolClient"]

    described = world.idp.describe_user_pool_client(**about, ClientId=made["ClientId"])["UserPoolClient"]
    assert changed(NAME_ONLY_CLIENT, plain(made)) == changed(NAME_ONLY_CLIENT, plain(described)) == told


def told_of(user: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer tells of a user, whatever its list of attributes is called."""
    found: dict[str, Any] = plain({name: value for name, value in user.items() if not name.endswith("Attributes")})
    return found


PHONE = "+4915112345678"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        # C.2, and printed by admin-create-user in 2017, 2018, 2024 and 2025: nobody said whether they are verified.
        ({}, {}),
        ({"email": "x@example.com"}, {"email": "x@example.com"}),
        ({"phone_number": PHONE}, {"phone_number": PHONE}),
        ({"email": "x@example.com", "email_verified": ""}, {"email": "x@example.com"}),
        *(
            ({"email": "x@example.com", "email_verified": said}, {"email": "x@example.com", "email_verified": said})
            for said in ("true", "false")
        ),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_user_is_told_with_sub_and_what_was_said(world: World, given: dict[str, str], told: dict[str, str]) -> None:
    name = f"told-{secrets.token_hex(4)}"
    lines = [{"Name": key, "Value": value} for key, value in given.items()]

    made = world.idp.admin_create_user(
        UserPoolId=world.pool_id, Username=name, UserAttributes=lines, MessageAction="SUPPRESS"
    )["User"]

    found = world.user(name)
    listed = world.idp.list_users(UserPoolId=world.pool_id, Filter=f'username = "{name}"')["Users"]
    answers = ((made, "Attributes"), (found, "UserAttributes"), (listed[0], "Attributes"))
    for answer, attributes in answers:
        assert told_of(answer) == {
            "Username": name,
            "UserCreateDate": "TIME",
            "UserLastModifiedDate": "TIME",
            "Enabled": True,
            "UserStatus": "FORCE_CHANGE_PASSWORD",
        }
        assert plain(named(answer[attributes])) == {"sub": "UUID", **told}


def test_what_was_never_said_of_an_address_is_in_no_token_until_it_is_said(world: World) -> None:
    name = f"told-{secrets.token_hex(4)}"
    address = f"{name}@example.com"
    lines = [{"Name": "email", "Value": address}, {"Name": "phone_number", "Value": PHONE}]
    about = {"UserPoolId": world.pool_id, "Username": name}
    world.idp.admin_create_user(**about, UserAttributes=lines, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")

    challenge = world.sign_in(name)
    tokens = world.respond(challenge, name, NEW_PASSWORD="Own-horse-77")["AuthenticationResult"]
    said = json.loads(challenge["ChallengeParameters"]["userAttributes"])
    claims = json.loads(urlsafe_b64decode(tokens["IdToken"].split(".")[1] + "=="))
    before = named(world.anyone.get_user(AccessToken=tokens["AccessToken"])["UserAttributes"])
    own = [{"Name": "phone_number", "Value": "+4915112345679"}]
    world.anyone.update_user_attributes(AccessToken=tokens["AccessToken"], UserAttributes=own)
    after = named(world.anyone.get_user(AccessToken=tokens["AccessToken"])["UserAttributes"])

    assert said == {"email": address, "phone_number": PHONE}
    assert plain(before) == {"sub": "UUID", **said}
    assert not {"email_verified", "phone_number_verified"} & set(claims)
    assert (claims["email"], claims["phone_number"]) == (address, PHONE)
    # 1.12: a change says that the new one is not verified, and says nothing of the other.
    assert plain(after) == {
        "sub": "UUID",
        "email": address,
        "phone_number": "+4915112345679",
        "phone_number_verified": "false",
    }


def test_of_who_signs_up_it_is_said_that_each_address_is_unproven(world: World) -> None:
    """Amazon speaks of operators alone; of sign-up a pull request to cognito-local (386) reports the above."""
    name = f"told-{secrets.token_hex(4)}"
    given = {"email": f"{name}@example.com", "phone_number": PHONE}
    lines = [{"Name": key, "Value": value} for key, value in given.items()]

    world.anyone.sign_up(ClientId=world.client_id, Username=name, Password=PASSWORD, UserAttributes=lines)
    answer = world.anyone.sign_up(ClientId=world.client_id, Username=f"{name}-2", Password=PASSWORD)

    assert plain(answer) == {"UserConfirmed": False, "UserSub": "UUID"}  # 1.11: details of a code that was sent alone
    told = plain(named(world.user(name)["UserAttributes"]))
    assert told == {"sub": "UUID", **given, "email_verified": "false", "phone_number_verified": "false"}
    assert plain(named(world.user(f"{name}-2")["UserAttributes"])) == {"sub": "UUID"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"AllowClassicFlow": False}, {"AllowClassicFlow": False}),
        ({"AllowClassicFlow": True}, {"AllowClassicFlow": True}),
        ({"IdentityPoolTags": {"team": "red"}}, {"IdentityPoolTags": {"team": "red"}}),
        ({"SupportedLoginProviders": {}, "CognitoIdentityProviders": []}, {}),
    ],
    ids=json.dumps,
)
def test_an_identity_pool_is_told_as_amazon_does(world: World, given: dict[str, Any], told: dict[str, Any]) -> None:
    identity = world.live.boto("cognito-identity")

    made = identity.create_identity_pool(IdentityPoolName="plain", AllowUnauthenticatedIdentities=True, **given)

    described = identity.describe_identity_pool(IdentityPoolId=made["IdentityPoolId"])
    differing = [changed(NAME_ONLY_IDENTITY_POOL, plain(answer)) for answer in (made, described)]
    assert differing == [told, told]


def test_what_belongs_to_an_identity_pool_is_told_where_nothing_was_said(world: World) -> None:
    identity = world.live.boto("cognito-identity")
    provider = f"{world.live.base_url.partition('://')[2]}/{world.pool_id}"
    line = {"ProviderName": provider, "ClientId": world.client_id}

    made = identity.create_identity_pool(
        IdentityPoolName="plain", AllowUnauthenticatedIdentities=False, CognitoIdentityProviders=[line]
    )

    about = {"IdentityPoolId": made["IdentityPoolId"]}
    # Printed by create-identity-pool in January 2022; 2.4: absent is false.
    assert made["CognitoIdentityProviders"] == [{**line, "ServerSideTokenCheck": False}]
    assert plain(identity.get_identity_pool_roles(**about)) == {
        "IdentityPoolId": "IDENTITY POOL",
        "Roles": {},
        "RoleMappings": {},
    }
    assert plain(identity.get_principal_tag_attribute_map(**about, IdentityProviderName=provider)) == {
        "IdentityPoolId": "IDENTITY POOL",
        "IdentityProviderName": provider,
        "UseDefaults": False,
        "PrincipalTags": {},
    }


@pytest.mark.parametrize(
    ("mechanisms", "medium"),
    [
        (None, "EMAIL"),
        ([{"Priority": 2, "Name": "verified_email"}, {"Priority": 1, "Name": "verified_phone_number"}], "SMS"),
    ],
    ids=["unsaid", "phone first"],
)
def test_recovery_goes_the_way_that_is_told(world: World, mechanisms: list[dict[str, Any]] | None, medium: str) -> None:
    given = {} if mechanisms is None else {"AccountRecoverySetting": {"RecoveryMechanisms": mechanisms}}
    other = World(world.live, pool=given)
    phone = f"+49{secrets.randbelow(10**10):010}"
    name = other.person(phone_number=phone, phone_number_verified="true")

    told = other.anyone.forgot_password(ClientId=other.client_id, Username=name)["CodeDeliveryDetails"]

    mechanism = min(other.pool["AccountRecoverySetting"]["RecoveryMechanisms"], key=lambda each: each["Priority"])
    reached = {"EMAIL": f"{name}@example.com", "SMS": phone}
    assert told["DeliveryMedium"] == medium
    assert mechanism["Name"] == f"verified_{told['AttributeName']}"
    assert other.code(reached.pop(medium))
    others = [mail["subject"] for to in reached.values() for mail in other.live.messages(to)]
    assert set(others) <= NOTICES
