"""Resource servers through boto3."""

from __future__ import annotations

from collections.abc import Callable

from tests.cognito.conftest import World, refused

SCOPES = [{"ScopeName": "read", "ScopeDescription": "See photos"}]


def test_a_resource_servers_scopes_can_be_given_to_clients(new_world: Callable[..., World]) -> None:
    world = new_world()

    made = world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier="photos", Name="Photos", Scopes=SCOPES)

    assert made["ResourceServer"] == {
        "UserPoolId": world.pool_id,
        "Identifier": "photos",
        "Name": "Photos",
        "Scopes": SCOPES,
    }
    client = world.new_client(
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["photos/read"],
        AllowedOAuthFlowsUserPoolClient=True,
    )
    assert client["AllowedOAuthScopes"] == ["photos/read"]


def test_an_identifier_is_taken_once_in_each_pool(new_world: Callable[..., World]) -> None:
    world, other = new_world(), new_world()
    given = {"Identifier": "photos", "Name": "Photos"}
    world.idp.create_resource_server(UserPoolId=world.pool_id, **given)

    assert other.idp.create_resource_server(UserPoolId=other.pool_id, **given)["ResourceServer"]["Scopes"] == []
    with refused("InvalidParameterException", f"photos already exists in user pool {world.pool_id}."):
        world.idp.create_resource_server(UserPoolId=world.pool_id, **given)
