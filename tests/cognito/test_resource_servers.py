"""Resource servers through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.cognito.conftest import World, refused

INVALID, NOT_FOUND = "InvalidParameterException", "ResourceNotFoundException"
MACHINE = {
    "GenerateSecret": True,
    "AllowedOAuthFlows": ["client_credentials"],
    "AllowedOAuthFlowsUserPoolClient": True,
}

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


def scope(name: str, description: str = "d") -> dict[str, str]:
    """Return a scope."""
    return {"ScopeName": name, "ScopeDescription": description}


def test_a_resource_server_is_told_changed_and_deleted(world: World) -> None:
    about = {"UserPoolId": world.pool_id, "Identifier": "https://api.example/v1"}
    made = world.idp.create_resource_server(**about, Name="API", Scopes=[scope("a"), scope("b")])["ResourceServer"]
    assert world.idp.describe_resource_server(**about)["ResourceServer"] == made

    changed = world.idp.update_resource_server(**about, Name="API 2", Scopes=[scope("b", "B"), scope("c")])
    told = world.idp.describe_resource_server(**about)["ResourceServer"]
    assert told == changed["ResourceServer"] == {**made, "Name": "API 2", "Scopes": [scope("b", "B"), scope("c")]}
    # The list takes the old one's place; left out, it is empty.
    assert world.idp.update_resource_server(**about, Name="API 2")["ResourceServer"]["Scopes"] == []

    world.idp.delete_resource_server(**about)

    absent = "Resource server https://api.example/v1 does not exist."
    for ask in (world.idp.describe_resource_server, world.idp.delete_resource_server):
        with refused(NOT_FOUND, absent):
            ask(**about)
    with refused(NOT_FOUND, absent):
        world.idp.update_resource_server(**about, Name="API")


@pytest.mark.parametrize(
    "given",
    [
        {"Name": "n" * 257},
        {"Name": "<b>"},
        {"Scopes": [scope("a/b")]},
        {"Scopes": [scope("a b")]},
        {"Scopes": [scope("a", "")]},
        {"Scopes": [scope("a"), scope("a")]},
        {"Scopes": [scope(f"s{number}") for number in range(101)]},
    ],
)
def test_what_is_no_resource_server_is_refused_and_changes_nothing(world: World, given: dict[str, Any]) -> None:
    about = {"UserPoolId": world.pool_id, "Identifier": "kept"}
    if "kept" not in [each["Identifier"] for each in listed(world)]:
        world.idp.create_resource_server(**about, Name="Kept", Scopes=SCOPES)
    before = listed(world)

    with refused(INVALID):
        world.idp.update_resource_server(**about, **{"Name": "Kept", **given})
    with refused(INVALID):
        world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier="other", **{"Name": "Other", **given})

    assert listed(world) == before


@pytest.mark.parametrize("identifier", ["", "a b", 'a"b', "i" * 257, "aws.cognito.signin"])
def test_what_is_no_identifier_is_refused(world: World, identifier: str) -> None:
    with refused(INVALID):
        world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier=identifier, Name="API")


def listed(world: World) -> list[dict[str, Any]]:
    """Return a pool's resource servers."""
    pages = world.idp.get_paginator("list_resource_servers").paginate(UserPoolId=world.pool_id)
    return [each for page in pages for each in page["ResourceServers"]]


def test_resource_servers_come_in_pages(new_world: Callable[..., World]) -> None:
    world = new_world()
    for number in range(3):
        world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier=f"s{number}", Name="S")

    first = world.idp.list_resource_servers(UserPoolId=world.pool_id, MaxResults=2)
    rest = world.idp.list_resource_servers(UserPoolId=world.pool_id, MaxResults=2, NextToken=first["NextToken"])

    assert [each["Identifier"] for each in first["ResourceServers"] + rest["ResourceServers"]] == ["s0", "s1", "s2"]
    assert "NextToken" not in rest
    with refused(INVALID):
        world.idp.list_resource_servers(UserPoolId=world.pool_id, MaxResults=51)


def test_scopes_that_are_gone_are_kept_by_clients_and_granted_no_more(new_world: Callable[..., World]) -> None:
    world = new_world()
    about = {"UserPoolId": world.pool_id, "Identifier": "photos"}
    world.idp.create_resource_server(**about, Name="Photos", Scopes=[scope("read"), scope("write")])
    wanted = ["photos/read", "photos/write"]
    client = world.new_client(**MACHINE, AllowedOAuthScopes=wanted)

    def token(asked: str = "") -> dict[str, Any]:
        url = f"{world.live.base_url}/{world.pool_id}/oauth2/token"
        form = {"grant_type": "client_credentials", **({"scope": asked} if asked else {})}
        return dict(requests.post(url, form, auth=(client["ClientId"], client["ClientSecret"]), timeout=30).json())

    assert "access_token" in token("photos/write")
    world.idp.update_resource_server(**about, Name="Photos", Scopes=[scope("read")])
    assert token("photos/write") == {"error": "invalid_scope"} | token("photos/write")
    assert "access_token" in token()
    world.idp.delete_resource_server(**about)
    assert token("photos/read")["error"] == token()["error"] == "invalid_scope"

    told = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=client["ClientId"])["UserPoolClient"]
    assert told["AllowedOAuthScopes"] == wanted
    with refused("ScopeDoesNotExistException", "Invalid scope requested: photos/read"):
        world.new_client(**MACHINE, AllowedOAuthScopes=wanted)
