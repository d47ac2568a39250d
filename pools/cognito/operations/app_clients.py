"""App clients: create, describe, list."""

from __future__ import annotations

from pools.cognito import shapes
from pools.cognito.contract import Reply, Request, user_pools
from pools.services import access
from pools.services.pools import app_clients

MOST = 60
REGULAR = "REGULAR"


@user_pools.operation
def create_user_pool_client(call: Request) -> Reply:
    """AWS: API_CreateUserPoolClient."""
    pool = access.pool(call["UserPoolId"])
    settings = shapes.settings(call, without=("UserPoolId", "ClientName"))
    client = app_clients.create(pool, call["ClientName"], settings=settings, by=call.by)
    return {"UserPoolClient": shapes.app_client(pool, client)}


@user_pools.operation
def describe_user_pool_client(call: Request) -> Reply:
    """AWS: API_DescribeUserPoolClient."""
    pool = access.pool(call["UserPoolId"])
    return {"UserPoolClient": shapes.app_client(pool, access.client_in(pool, call["ClientId"]))}


@user_pools.operation
def list_user_pool_clients(call: Request) -> Reply:
    """AWS: API_ListUserPoolClients."""
    pool = access.pool(call["UserPoolId"])
    if call.get("ClientType", REGULAR) != REGULAR:  # those that registered themselves: this release has none
        return shapes.page("UserPoolClients", (), "NextToken", None)
    page = app_clients.page(pool, call.get("MaxResults", MOST), call.get("NextToken"))
    lines = [{"ClientId": row.client_id, "UserPoolId": pool.public_id, "ClientName": row.name} for row in page.rows]
    return shapes.page("UserPoolClients", lines, "NextToken", page.token)
