"""App clients through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.cognito.conftest import FLOWS, World, named, refused, secret_hash

INVALID, NOT_FOUND = "InvalidParameterException", "ResourceNotFoundException"


def test_a_plain_client_is_told_back_with_cognitos_defaults(world: World) -> None:
    made = world.idp.create_user_pool_client(UserPoolId=world.pool_id, ClientName="plain")["UserPoolClient"]

    told = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=made["ClientId"])["UserPoolClient"]

    assert told == made
    assert {name: value for name, value in told.items() if not name.endswith("Date")} == {
        "UserPoolId": world.pool_id,
        "ClientName": "plain",
        "ClientId": made["ClientId"],
        "RefreshTokenValidity": 30,
        "TokenValidityUnits": {},
        "AllowedOAuthFlowsUserPoolClient": False,
        "EnableTokenRevocation": True,
        "EnablePropagateAdditionalUserContextData": False,
        "AuthSessionValidity": 3,
        "ClientType": "REGULAR",
    }


def test_what_was_set_is_told_back(world: World) -> None:
    settings = {
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": ["http://localhost:3000/callback", "https://app.example/cb"],
        "LogoutURLs": ["https://app.example/"],
        "DefaultRedirectURI": "https://app.example/cb",
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid", "email"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "PreventUserExistenceErrors": "ENABLED",
        "AccessTokenValidity": 10,
        "IdTokenValidity": 20,
        "RefreshTokenValidity": 2,
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
        "ReadAttributes": ["email", "name"],
        "WriteAttributes": ["email", "name"],
        "AuthSessionValidity": 5,
        "EnableTokenRevocation": True,
    }

    made = world.new_client(**settings)

    told = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=made["ClientId"])["UserPoolClient"]
    for name, value in settings.items():
        assert told[name] == value, name
    assert "ClientSecret" not in told


def test_empty_lists_of_attributes_are_none_so_all_may_be_read_and_written(new_world: Callable[..., World]) -> None:
    """Terraform sends them for lists that were left out, whenever it changes an app."""
    schema = [{"Name": "email", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    world = new_world(pool={"Schema": schema})
    empty: dict[str, list[str]] = {"ReadAttributes": [], "WriteAttributes": []}

    made = world.new_client(**empty)
    changed = world.idp.update_user_pool_client(
        UserPoolId=world.pool_id, ClientId=world.client_id, ExplicitAuthFlows=FLOWS, **empty
    )["UserPoolClient"]

    assert not empty.keys() & {**made, **changed}.keys()
    token = world.tokens(world.person())["AccessToken"]
    world.anyone.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "name", "Value": "Ada"}])
    assert {"email", "name"} <= named(world.anyone.get_user(AccessToken=token)["UserAttributes"]).keys()


def test_a_secret_is_made_and_told_to_operators(world: World) -> None:
    made = world.new_client(GenerateSecret=True)

    told = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=made["ClientId"])["UserPoolClient"]

    assert made["ClientSecret"] == told["ClientSecret"]
    assert len(made["ClientSecret"]) >= 50


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("InvalidParameterException", {"CallbackURLs": ["http://app.example/cb"]}),
        ("InvalidParameterException", {"CallbackURLs": ["https://app.example/cb#fragment"]}),
        ("InvalidParameterException", {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH"]}),
        ("InvalidParameterException", {"AccessTokenValidity": 25}),
        ("ScopeDoesNotExistException", {"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["photos/read"]}),
        ("InvalidOAuthFlowException", {"AllowedOAuthFlows": ["client_credentials", "code"], "GenerateSecret": True}),
    ],
)
def test_a_client_that_breaks_a_rule_is_refused(world: World, code: str, settings: dict[str, object]) -> None:
    common = {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"],
        "CallbackURLs": ["https://app.example/cb"],
    }

    assert world.new_client(**common)["ClientId"]
    with refused(code):
        world.new_client(**{**common, **settings})


def test_pages_of_clients_neither_skip_nor_repeat(new_world: Callable[..., World]) -> None:
    world = new_world()
    made = {world.client_id, *(world.new_client()["ClientId"] for _ in range(4))}

    pages = world.idp.get_paginator("list_user_pool_clients").paginate(
        UserPoolId=world.pool_id, PaginationConfig={"PageSize": 2}
    )
    lines = [line for page in pages for line in page["UserPoolClients"]]

    assert len(lines) == 5
    assert {line["ClientId"] for line in lines} == made
    assert set(lines[0]) == {"ClientId", "UserPoolId", "ClientName"}


def test_a_client_of_another_pool_is_not_found(world: World, new_world: Callable[..., World]) -> None:
    other = new_world()

    with refused("ResourceNotFoundException", f"User pool client {other.client_id} does not exist."):
        world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=other.client_id)


def test_a_client_that_just_was_made_can_be_used_at_once(world: World) -> None:
    name = world.person()

    assert world.sign_in(name, client_id=world.new_client()["ClientId"])["AuthenticationResult"]


def told(world: World, client: dict[str, Any]) -> dict[str, Any]:
    """Return a client as it is told."""
    about = {"UserPoolId": world.pool_id, "ClientId": client["ClientId"]}
    found: dict[str, Any] = world.idp.describe_user_pool_client(**about)["UserPoolClient"]
    return found


def updated(world: World, client: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Update a client."""
    about = {"UserPoolId": world.pool_id, "ClientId": client["ClientId"]}
    found: dict[str, Any] = world.idp.update_user_pool_client(**about, **settings)["UserPoolClient"]
    return found


WHOLE = {
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "SupportedIdentityProviders": ["COGNITO"],
    "CallbackURLs": ["https://app.example/cb"],
    "LogoutURLs": ["https://app.example/"],
    "DefaultRedirectURI": "https://app.example/cb",
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "PreventUserExistenceErrors": "ENABLED",
    "AccessTokenValidity": 10,
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "days"},
    "ReadAttributes": ["email"],
    "WriteAttributes": ["email"],
    "AuthSessionValidity": 5,
    "EnablePropagateAdditionalUserContextData": True,
    "AnalyticsConfiguration": {
        "ApplicationId": "a1",
        "RoleArn": "arn:aws:iam::000000000000:role/analytics",
        "ExternalId": "e",
        "UserDataShared": False,
    },
}


PINPOINT = "arn:aws:mobiletargeting:us-east-1:000000000000:apps/a1"


def test_what_an_update_leaves_out_goes_back_to_its_default_and_the_secret_stays(world: World) -> None:
    client = world.new_client(GenerateSecret=True, **WHOLE)
    assert {name: told(world, client)[name] for name in WHOLE} == WHOLE

    changed = updated(world, client)

    plain = told(world, world.idp.create_user_pool_client(UserPoolId=world.pool_id, ClientName="app")["UserPoolClient"])
    own = {name: client[name] for name in ("ClientId", "ClientSecret", "CreationDate")}
    assert changed == told(world, client) == {**plain, **own, "LastModifiedDate": changed["LastModifiedDate"]}
    assert changed["LastModifiedDate"] > client["LastModifiedDate"]
    again = updated(world, client, **WHOLE)
    assert {name: again[name] for name in WHOLE} == WHOLE


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"AllowedOAuthScopes": ["none/read"]}, "ScopeDoesNotExistException"),
        ({"AllowedOAuthFlows": ["client_credentials", "code"]}, "InvalidOAuthFlowException"),
        ({"ExplicitAuthFlows": ["USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]}, INVALID),
        ({"AccessTokenValidity": 2, "TokenValidityUnits": {"AccessToken": "days"}}, INVALID),
        ({"CallbackURLs": ["http://app.example/"]}, INVALID),
        ({"RefreshTokenRotation": {"Feature": "ENABLED"}, "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]}, INVALID),
        ({"ClientName": ""}, INVALID),
        (
            {"AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"]},
            "InvalidOAuthFlowException",
        ),
        ({"AnalyticsConfiguration": {"ApplicationId": "a1"}}, INVALID),
        ({"AnalyticsConfiguration": {"UserDataShared": True}}, INVALID),
        ({"AnalyticsConfiguration": {"ApplicationId": "a1", "ApplicationArn": PINPOINT}}, INVALID),
    ],
)
def test_an_update_that_breaks_a_rule_changes_nothing(world: World, given: dict[str, Any], code: str) -> None:
    before = told(world, world.client)

    with refused(code):
        updated(world, world.client, **given)

    assert told(world, world.client) == before


def test_tokens_of_a_deleted_client_are_dead_at_once(world: World) -> None:
    client, person = world.new_client(), world.person()
    waiting = world.new_client(ExplicitAuthFlows=FLOWS)
    tokens = world.sign_in(person, client_id=client["ClientId"])["AuthenticationResult"]
    about = {"UserPoolId": world.pool_id, "ClientId": client["ClientId"]}
    gone = f"User pool client {client['ClientId']} does not exist."

    world.idp.delete_user_pool_client(**about)

    with refused("NotAuthorizedException"):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])
    for ask in (
        lambda: world.refresh(tokens["RefreshToken"], client["ClientId"]),
        lambda: world.sign_in(person, client_id=client["ClientId"]),
        lambda: world.idp.describe_user_pool_client(**about),
        lambda: world.idp.update_user_pool_client(**about),
        lambda: world.idp.delete_user_pool_client(**about),
    ):
        with refused(NOT_FOUND, gone):
            ask()
    listed = world.idp.list_user_pool_clients(UserPoolId=world.pool_id, MaxResults=60)["UserPoolClients"]
    assert client["ClientId"] not in [each["ClientId"] for each in listed]
    assert world.sign_in(person, client_id=waiting["ClientId"])["AuthenticationResult"]


# -- secrets -----------------------------------------------------------------------------------------------------------


def proves(world: World, client: dict[str, Any], secret: str) -> list[bool]:
    """Say whether a secret is taken: as SECRET_HASH, in the Authorization header, and in a form."""
    keyed, name = {**client, "ClientSecret": secret}, "nobody"
    url = f"{world.live.base_url}/{world.pool_id}/oauth2/token"
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://app.example/cb"}
    by_header = requests.post(url, form, auth=(client["ClientId"], secret), timeout=30)
    inside = {"client_id": client["ClientId"], "client_secret": secret}
    by_form = requests.post(url, {**form, **inside}, timeout=30)
    try:
        world.sign_in(name, client_id=client["ClientId"], SECRET_HASH=secret_hash(keyed, name))
    except (world.anyone.exceptions.UserNotFoundException, world.anyone.exceptions.NotAuthorizedException) as refusal:
        told_of = str(refusal)
    else:
        told_of = ""
    return [
        "secret hash" not in told_of,
        by_header.json()["error"] != "invalid_client",
        by_form.json()["error"] != "invalid_client",
    ]


def test_two_secrets_are_good_at_once_until_one_is_deleted(world: World) -> None:
    client = world.new_client(GenerateSecret=True, **{**WHOLE, "ExplicitAuthFlows": FLOWS})
    about = {"UserPoolId": world.pool_id, "ClientId": client["ClientId"]}
    first = world.idp.list_user_pool_client_secrets(**about)["ClientSecrets"]

    added = world.idp.add_user_pool_client_secret(**about)["ClientSecretDescriptor"]

    old, new = client["ClientSecret"], added["ClientSecretValue"]
    assert proves(world, client, old) == proves(world, client, new) == [True] * 3
    listed = world.idp.list_user_pool_client_secrets(**about)["ClientSecrets"]
    untold = {name: value for name, value in added.items() if name != "ClientSecretValue"}
    assert listed == [*first, untold]
    assert all(each["ClientSecretId"].startswith(f"{client['ClientId']}--") for each in listed)
    with refused("LimitExceededException", "An app client has at most two client secrets."):
        world.idp.add_user_pool_client_secret(**about)

    world.idp.delete_user_pool_client_secret(**about, ClientSecretId=first[0]["ClientSecretId"])

    assert proves(world, client, new) == [True] * 3
    assert proves(world, client, old) == [False] * 3
    assert told(world, client)["ClientSecret"] == new
    with refused(INVALID, "The last client secret cannot be deleted."):
        world.idp.delete_user_pool_client_secret(**about, ClientSecretId=added["ClientSecretId"])
    with refused(NOT_FOUND, "The client secret does not exist."):
        world.idp.delete_user_pool_client_secret(**about, ClientSecretId=first[0]["ClientSecretId"])


def test_a_secret_that_was_chosen_is_not_told_and_is_taken_once(world: World) -> None:
    client, own = world.new_client(GenerateSecret=True, **{**WHOLE, "ExplicitAuthFlows": FLOWS}), "a" * 24
    about = {"UserPoolId": world.pool_id, "ClientId": client["ClientId"]}
    for wrong in ("a" * 23, "a" * 65, "a" * 23 + "-", client["ClientSecret"]):
        with refused(INVALID):
            world.idp.add_user_pool_client_secret(**about, ClientSecret=wrong)

    added = world.idp.add_user_pool_client_secret(**about, ClientSecret=own)["ClientSecretDescriptor"]

    assert added.keys() == {"ClientSecretId", "ClientSecretCreateDate"}
    assert proves(world, client, own) == [True] * 3


def test_a_public_client_is_given_no_secret(world: World) -> None:
    about = {"UserPoolId": world.pool_id, "ClientId": world.client_id}

    with refused(INVALID, "The app client has no client secret and cannot be given one."):
        world.idp.add_user_pool_client_secret(**about)

    assert world.idp.list_user_pool_client_secrets(**about)["ClientSecrets"] == []
