"""Resource servers: an API's own scopes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import resource_servers

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        CreateResourceServerRequestTypeDef,
        DeleteResourceServerRequestTypeDef,
        DescribeResourceServerRequestTypeDef,
        ListResourceServersRequestTypeDef,
        ResourceServerScopeTypeTypeDef,
        UpdateResourceServerRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 50


@user_pools.operation
def create_resource_server(call: CreateResourceServerRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateResourceServer."""
    pool = access.pool(call["UserPoolId"])
    scopes = read(call.get("Scopes", ()))
    server = resource_servers.create(pool, identifier=call["Identifier"], name=call["Name"], scopes=scopes, by=by)
    return {"ResourceServer": shapes.resource_server(pool, server)}


@user_pools.operation
def describe_resource_server(call: DescribeResourceServerRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeResourceServer."""
    pool = access.pool(call["UserPoolId"])
    return {"ResourceServer": shapes.resource_server(pool, resource_servers.named(pool, call["Identifier"]))}


@user_pools.operation
def update_resource_server(call: UpdateResourceServerRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateResourceServer."""
    pool = access.pool(call["UserPoolId"])
    scopes = read(call.get("Scopes", ()))
    server = resource_servers.update(pool, call["Identifier"], name=call["Name"], scopes=scopes, by=by)
    return {"ResourceServer": shapes.resource_server(pool, server)}


@user_pools.operation
def delete_resource_server(call: DeleteResourceServerRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteResourceServer."""
    resource_servers.delete(access.pool(call["UserPoolId"]), call["Identifier"], by=by)
    return None


@user_pools.operation
def list_resource_servers(call: ListResourceServersRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListResourceServers."""
    pool = access.pool(call["UserPoolId"])
    page = resource_servers.page(pool, call.get("MaxResults", MOST), call.get("NextToken"))
    lines = [shapes.resource_server(pool, row) for row in page.rows]
    return shapes.page("ResourceServers", lines, "NextToken", page.token)


def read(scopes: Iterable[ResourceServerScopeTypeTypeDef]) -> list[dict[str, str]]:
    """Return scopes with our names."""
    return [{"name": scope["ScopeName"], "description": scope["ScopeDescription"]} for scope in scopes]
