"""App clients through boto3."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cognito.conftest import World, refused


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
