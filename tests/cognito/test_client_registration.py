"""DcrConfiguration through boto3: what it is told as, what it switches on, and what it may not name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import World, refused

INVALID, NOT_FOUND = "InvalidParameterException", "ResourceNotFoundException"
OWN, SCOPE = "aws.cognito/dcr", "aws.cognito/dcr/register"
DEFAULTS = {
    "EnableStatus": "Enabled",
    "OpenDcrEnabled": False,
    "AuthenticatedGrantTypes": ["code", "client_credentials"],
    "OpenDcrGrantTypes": ["code"],
}
"""What Amazon's model says of members that are left out of a configuration that is there."""
ALL: dict[str, Any] = {
    "EnableStatus": "Disabled",
    "OpenDcrEnabled": True,
    "AuthenticatedGrantTypes": [],
    "OpenDcrGrantTypes": ["client_credentials", "implicit"],
    "AllowedScopes": ["aws.cognito.signin.user.admin", SCOPE],
}
MACHINE = {
    "GenerateSecret": True,
    "AllowedOAuthFlows": ["client_credentials"],
    "AllowedOAuthFlowsUserPoolClient": True,
}


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    """Return a pool of a test's own."""
    return new_world()


def update(world: World, **members: Any) -> None:
    """Update the pool as a whole."""
    world.idp.update_user_pool(UserPoolId=world.pool_id, **members)


def told(world: World) -> dict[str, Any] | None:
    """Return what is told of the setting; None where nothing is."""
    pool = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
    found: dict[str, Any] | None = pool.get("DcrConfiguration")
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, DEFAULTS),
        ({"OpenDcrEnabled": True}, {**DEFAULTS, "OpenDcrEnabled": True}),
        ({"EnableStatus": "Disabled"}, {**DEFAULTS, "EnableStatus": "Disabled"}),
        ({"AuthenticatedGrantTypes": []}, {**DEFAULTS, "AuthenticatedGrantTypes": []}),
        (ALL, ALL),
    ],
)
def test_what_is_left_out_has_amazons_defaults(world: World, given: dict[str, Any], expected: dict[str, Any]) -> None:
    made = world.idp.create_user_pool(PoolName="registering", DcrConfiguration=given)["UserPool"]
    assert told(world) is None

    update(world, DcrConfiguration=given)

    assert made["DcrConfiguration"] == told(world) == expected


def test_an_update_keeps_what_it_does_not_name_and_replaces_what_it_does(world: World) -> None:
    update(world, DcrConfiguration=ALL)

    update(world, DeletionProtection="INACTIVE")
    assert told(world) == ALL
    update(world, DcrConfiguration={"OpenDcrEnabled": True})
    assert told(world) == {**DEFAULTS, "OpenDcrEnabled": True}
    update(world)
    assert told(world) == {**DEFAULTS, "OpenDcrEnabled": True}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"AllowedScopes": ["none/read"]}, "Invalid scope requested: none/read"),
        ({"AllowedScopes": ["photos/read", "photos/write"]}, "Invalid scope requested: photos/write"),
        ({"AllowedScopes": ["openid", "offline_access"]}, "Invalid scope requested: offline_access"),
    ],
)
def test_scopes_that_are_not_there_are_refused_and_nothing_changes(
    world: World, given: dict[str, Any], why: str
) -> None:
    scopes = [{"ScopeName": "read", "ScopeDescription": "See photos"}]
    world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier="photos", Name="Photos", Scopes=scopes)
    update(world, DcrConfiguration={"AllowedScopes": ["photos/read"]})
    before = told(world)

    with refused(INVALID, why):
        update(world, DcrConfiguration=given)

    assert told(world) == before == {**DEFAULTS, "AllowedScopes": ["photos/read"]}


def test_words_that_amazon_does_not_have_are_refused(world: World) -> None:
    for given in (
        {"EnableStatus": "On"},
        {"AuthenticatedGrantTypes": ["password"]},
        {"OpenDcrGrantTypes": ["authorization_code"]},
        {"OpenDcrGrantTypes": ["code"] * 4},
        {"AllowedScopes": ["openid"] * 51},
    ):
        with refused(INVALID):
            update(world, DcrConfiguration=given)

    assert told(world) is None


def servers(world: World) -> list[dict[str, Any]]:
    """Return the pool's resource servers."""
    found: list[dict[str, Any]] = world.idp.list_resource_servers(UserPoolId=world.pool_id, MaxResults=50)[
        "ResourceServers"
    ]
    return found


def test_the_built_in_resource_server_is_there_while_it_is_on(world: World) -> None:
    about = {"UserPoolId": world.pool_id, "Identifier": OWN}
    assert servers(world) == []
    with refused("ScopeDoesNotExistException", f"Invalid scope requested: {SCOPE}"):
        world.new_client(**MACHINE, AllowedOAuthScopes=[SCOPE])

    update(world, DcrConfiguration={})

    [own] = servers(world)
    assert (own["Identifier"], own["ManagedBy"]) == (OWN, "COGNITO")
    assert [scope["ScopeName"] for scope in own["Scopes"]] == ["register"]
    assert world.idp.describe_resource_server(**about)["ResourceServer"] == own
    client = world.new_client(**MACHINE, AllowedOAuthScopes=[SCOPE])
    assert (client["AllowedOAuthScopes"], client["ClientType"]) == ([SCOPE], "REGULAR")
    update(world, DcrConfiguration={"EnableStatus": "Disabled"})
    assert servers(world) == []
    with refused(NOT_FOUND, f"Resource server {OWN} does not exist."):
        world.idp.describe_resource_server(**about)


def test_nobody_changes_or_deletes_the_built_in_resource_server(world: World) -> None:
    about = {"UserPoolId": world.pool_id, "Identifier": OWN}
    update(world, DcrConfiguration={})
    before = servers(world)

    with refused(INVALID, f"Resource server {OWN} is managed by Cognito."):
        world.idp.update_resource_server(**about, Name="Mine")
    with refused(INVALID, f"Resource server {OWN} is managed by Cognito."):
        world.idp.delete_resource_server(**about)
    with refused(INVALID):
        world.idp.create_resource_server(**about, Name="Mine")

    assert servers(world) == before


def test_a_server_that_operators_make_is_nobody_elses(world: World) -> None:
    world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier="photos", Name="Photos")

    assert "ManagedBy" not in servers(world)[0]


def test_clients_are_listed_by_how_they_came(world: World) -> None:
    about = {"UserPoolId": world.pool_id}
    own = world.new_client()["ClientId"]

    regular = world.idp.list_user_pool_clients(**about, ClientType="REGULAR")["UserPoolClients"]

    assert own in {line["ClientId"] for line in regular}
    assert world.idp.list_user_pool_clients(**about)["UserPoolClients"] == regular
    assert world.idp.list_user_pool_clients(**about, ClientType="DCR")["UserPoolClients"] == []
    with refused(INVALID):
        world.idp.list_user_pool_clients(**about, ClientType="OTHER")
