"""User pools: create, describe, delete, list, and their second factors."""

from __future__ import annotations

from pools.cognito import shapes
from pools.cognito.contract import Reply, Request, user_pools
from pools.services import access
from pools.services.pools import user_pools as pools


@user_pools.operation
def create_user_pool(call: Request) -> Reply:
    """AWS: API_CreateUserPool."""
    pool = pools.create(call["PoolName"], settings=shapes.settings(call, without=("PoolName",)), by=call.by)
    return {"UserPool": shapes.user_pool(pool)}


@user_pools.operation
def describe_user_pool(call: Request) -> Reply:
    """AWS: API_DescribeUserPool. Where no tag was set it tells so, and the answer to CreateUserPool does not."""
    return {"UserPool": {"UserPoolTags": {}, **shapes.user_pool(access.pool(call["UserPoolId"]))}}


@user_pools.operation
def delete_user_pool(call: Request) -> Reply:
    """AWS: API_DeleteUserPool."""
    pools.delete(access.pool(call["UserPoolId"]), by=call.by)
    return None


@user_pools.operation
def list_user_pools(call: Request) -> Reply:
    """AWS: API_ListUserPools."""
    page = pools.page(call["MaxResults"], call.get("NextToken"))
    return shapes.page("UserPools", map(shapes.user_pool_line, page.rows), "NextToken", page.token)


@user_pools.operation
def get_user_pool_mfa_config(call: Request) -> Reply:
    """AWS: API_GetUserPoolMfaConfig."""
    return shapes.output(call, pools.mfa_configuration(access.pool(call["UserPoolId"])))


@user_pools.operation
def set_user_pool_mfa_config(call: Request) -> Reply:
    """AWS: API_SetUserPoolMfaConfig."""
    settings = shapes.settings(call, without=("UserPoolId",))
    pool = pools.set_mfa(access.pool(call["UserPoolId"]), settings=settings, by=call.by)
    return shapes.output(call, pools.mfa_configuration(pool))
