"""App clients and their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation import paging
from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import app_clients, client_secrets

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AddUserPoolClientSecretRequestTypeDef,
        CreateUserPoolClientRequestTypeDef,
        DeleteUserPoolClientRequestTypeDef,
        DeleteUserPoolClientSecretRequestTypeDef,
        DescribeUserPoolClientRequestTypeDef,
        ListUserPoolClientSecretsRequestTypeDef,
        ListUserPoolClientsRequestTypeDef,
        UpdateUserPoolClientRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 60
IS_REGISTERED = {"REGULAR": False, "DCR": True}
"""What each ClientType says of a client; none, of all."""


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
    registered = IS_REGISTERED.get(str(call.get("ClientType", "")))
    page = app_clients.page(pool, call.get("MaxResults", MOST), call.get("NextToken"), registered=registered)
    lines = [{"ClientId": row.client_id, "UserPoolId": pool.public_id, "ClientName": row.name} for row in page.rows]
    return shapes.page("UserPoolClients", lines, "NextToken", page.token)


@user_pools.operation
def update_user_pool_client(call: UpdateUserPoolClientRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateUserPoolClient."""
    pool = access.pool(call["UserPoolId"])
    client = access.client_in(pool, call["ClientId"])
    changes = shapes.settings("UpdateUserPoolClient", call, without=("UserPoolId", "ClientId"))
    return {"UserPoolClient": shapes.app_client(pool, app_clients.update(client, changes, whole=True, by=by))}


@user_pools.operation
def delete_user_pool_client(call: DeleteUserPoolClientRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteUserPoolClient."""
    app_clients.delete(access.client_in(access.pool(call["UserPoolId"]), call["ClientId"]), by=by)
    return None


@user_pools.operation
def add_user_pool_client_secret(call: AddUserPoolClientSecretRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AddUserPoolClientSecret."""
    client, own = access.client_in(access.pool(call["UserPoolId"]), call["ClientId"]), call.get("ClientSecret")
    row, value = client_secrets.add(client, own, by=by)
    # A secret that the caller chose is not told.
    told = {} if own is not None else {"ClientSecretValue": value}
    return {"ClientSecretDescriptor": {**shapes.client_secret(client, row), **told}}


@user_pools.operation
def list_user_pool_client_secrets(call: ListUserPoolClientSecretsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListUserPoolClientSecrets. There are at most two, and so one page."""
    client = access.client_in(access.pool(call["UserPoolId"]), call["ClientId"])
    client_secrets.check_operations(client)
    paging.read(call.get("NextToken"), purpose=f"client-secrets:{client.client_id}")
    return {"ClientSecrets": [shapes.client_secret(client, row) for row in client_secrets.of(client)]}


@user_pools.operation
def delete_user_pool_client_secret(call: DeleteUserPoolClientSecretRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteUserPoolClientSecret."""
    client = access.client_in(access.pool(call["UserPoolId"]), call["ClientId"])
    client_secrets.delete(client, call["ClientSecretId"], by=by)
    return {}
