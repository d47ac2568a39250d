"""Resource servers: an API's own scopes."""

from __future__ import annotations

from pools.cognito import shapes
from pools.cognito.contract import Reply, Request, user_pools
from pools.services import access
from pools.services.pools import user_pools as pools


@user_pools.operation
def create_resource_server(call: Request) -> Reply:
    """AWS: API_CreateResourceServer."""
    pool = access.pool(call["UserPoolId"])
    server = pools.create_resource_server(
        pool,
        identifier=call["Identifier"],
        name=call["Name"],
        scopes=[
            {"name": scope["ScopeName"], "description": scope["ScopeDescription"]} for scope in call.get("Scopes", ())
        ],
        by=call.by,
    )
    return {"ResourceServer": shapes.resource_server(pool, server)}
