"""App clients: create, describe, list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import app_clients

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        CreateUserPoolClientRequestTypeDef,
        DescribeUserPoolClientRequestTypeDef,
        ListUserPoolClientsRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 60
REGULAR = "REGULAR"


@user_pools.operation
def create_user_pool_client(call: CreateUserPoolClientRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateUserPoolClient."""
    pool = access.pool(call["UserPoolId"])
    settings = shapes.settings("CreateUserPoolClient", call, without=("UserPoolId", "ClientName"))
    client = app_clients.create(pool, call["ClientName"], settings=settings, by=by)
    return {"UserPoolClient": shapes.app_client(pool, client)}


@user_pools.operation
def describe_user_pool_client(call: DescribeUserPoolClientRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeUserPoolClient."""
    pool = access.pool(call["UserPoolId"])
    return {"UserPoolClient": shapes.app_client(pool, access.client_in(pool, call["ClientId"]))}


@user_pools.operation
def list_user_pool_clients(call: ListUserPoolClientsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListUserPoolClients."""
    pool = access.pool(call["UserPoolId"])
    if call.get("ClientType", REGULAR) != REGULAR:  # those that registered themselves: this release has none
        return shapes.page("UserPoolClients", (), "NextToken", None)
    page = app_clients.page(pool, call.get("MaxResults", MOST), call.get("NextToken"))
    lines = [{"ClientId": row.client_id, "UserPoolId": pool.public_id, "ClientName": row.name} for row in page.rows]
    return shapes.page("UserPoolClients", lines, "NextToken", page.token)
