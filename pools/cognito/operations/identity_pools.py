"""Identity pools as operators set them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pools.cognito import contract, shapes
from pools.cognito.contract import Reply
from pools.services import access
from pools.services.identity_pools import identity_pool_settings, identity_pools

if TYPE_CHECKING:
    from mypy_boto3_cognito_identity.type_defs import (
        CreateIdentityPoolInputTypeDef,
        DescribeIdentityPoolInputTypeDef,
        GetIdentityPoolRolesInputTypeDef,
        GetPrincipalTagAttributeMapInputTypeDef,
        SetIdentityPoolRolesInputTypeDef,
        SetPrincipalTagAttributeMapInputTypeDef,
    )

    from identity.foundation.actor import Actor
    from pools.models import IdentityPool


def shape(operation: str, pool: IdentityPool) -> dict[str, Any]:
    """Return IdentityPool. What was never set is left out."""
    settings = identity_pool_settings.TABLE.describe(pool)
    return shapes.output(operation, {**settings, "identity_pool_id": pool.public_id})


@contract.identity_pools.operation
def create_identity_pool(call: CreateIdentityPoolInputTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateIdentityPool."""
    settings = shapes.settings("CreateIdentityPool", call, without=("IdentityPoolName",))
    return shape("CreateIdentityPool", identity_pools.create(call["IdentityPoolName"], settings=settings, by=by))


@contract.identity_pools.operation
def describe_identity_pool(call: DescribeIdentityPoolInputTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeIdentityPool."""
    return shape("DescribeIdentityPool", access.identity_pool(call["IdentityPoolId"]))


@contract.identity_pools.operation
def set_identity_pool_roles(call: SetIdentityPoolRolesInputTypeDef, by: Actor) -> Reply:
    """AWS: API_SetIdentityPoolRoles."""
    given = shapes.settings("SetIdentityPoolRoles", call, without=("IdentityPoolId",))
    pool = access.identity_pool(call["IdentityPoolId"])
    identity_pools.set_roles(pool, roles=given["roles"], mappings=given.get("role_mappings"), by=by)
    return None


@contract.identity_pools.operation
def get_identity_pool_roles(call: GetIdentityPoolRolesInputTypeDef, by: Actor) -> Reply:
    """AWS: API_GetIdentityPoolRoles."""
    pool = access.identity_pool(call["IdentityPoolId"])
    return shapes.output("GetIdentityPoolRoles", {"identity_pool_id": pool.public_id, **identity_pools.roles(pool)})


@contract.identity_pools.operation
def set_principal_tag_attribute_map(call: SetPrincipalTagAttributeMapInputTypeDef, by: Actor) -> Reply:
    """AWS: API_SetPrincipalTagAttributeMap."""
    pool, provider = access.identity_pool(call["IdentityPoolId"]), call["IdentityProviderName"]
    found = identity_pools.set_tag_map(
        pool, provider, use_defaults=bool(call.get("UseDefaults")), tags=call.get("PrincipalTags"), by=by
    )
    return shapes.output(
        "SetPrincipalTagAttributeMap", {"identity_pool_id": pool.public_id, "identity_provider_name": provider, **found}
    )


@contract.identity_pools.operation
def get_principal_tag_attribute_map(call: GetPrincipalTagAttributeMapInputTypeDef, by: Actor) -> Reply:
    """AWS: API_GetPrincipalTagAttributeMap."""
    pool, provider = access.identity_pool(call["IdentityPoolId"]), call["IdentityProviderName"]
    found = identity_pools.tag_map(pool, provider)
    return shapes.output(
        "GetPrincipalTagAttributeMap", {"identity_pool_id": pool.public_id, "identity_provider_name": provider, **found}
    )
