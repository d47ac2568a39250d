"""Resource servers: an API's own scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import user_pools as pools

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import CreateResourceServerRequestTypeDef

    from identity.foundation.actor import Actor


@user_pools.operation
def create_resource_server(call: CreateResourceServerRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateResourceServer."""
    pool = access.pool(call["UserPoolId"])
    server = pools.create_resource_server(
        pool,
        identifier=call["Identifier"],
        name=call["Name"],
        scopes=[
            {"name": scope["ScopeName"], "description": scope["ScopeDescription"]} for scope in call.get("Scopes", ())
        ],
        by=by,
    )
    return {"ResourceServer": shapes.resource_server(pool, server)}
