"""Identity pools as operators set them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pools.cognito import contract, shapes
from pools.cognito.contract import Reply, Request
from pools.services import access
from pools.services.identity_pools import identity_pools, logins

if TYPE_CHECKING:
    from pools.models import IdentityPool


def shape(call: Request, pool: IdentityPool) -> dict[str, Any]:
    """Return IdentityPool. What was never set is left out."""
    description = {
        **pool.configuration,
        "identity_pool_id": pool.public_id,
        "identity_pool_name": pool.name,
        "allow_unauthenticated_identities": pool.guests,
        # Amazon tells a flow that is off only where that was said.
        "allow_classic_flow": pool.classic_flow or pool.configuration.get("allow_classic_flow"),
        "cognito_identity_providers": logins.shown_providers(pool) or None,
        "identity_pool_tags": pool.configuration.get("identity_pool_tags", {}),
    }
    return shapes.output(call, description)


@contract.identity_pools.operation
def create_identity_pool(call: Request) -> Reply:
    """AWS: API_CreateIdentityPool."""
    settings = shapes.settings(call, without=("IdentityPoolName",))
    return shape(call, identity_pools.create(call["IdentityPoolName"], settings=settings, by=call.by))


@contract.identity_pools.operation
def describe_identity_pool(call: Request) -> Reply:
    """AWS: API_DescribeIdentityPool."""
    return shape(call, access.identity_pool(call["IdentityPoolId"]))


@contract.identity_pools.operation
def set_identity_pool_roles(call: Request) -> Reply:
    """AWS: API_SetIdentityPoolRoles."""
    given = shapes.settings(call, without=("IdentityPoolId",))
    pool = access.identity_pool(call["IdentityPoolId"])
    identity_pools.set_roles(pool, roles=given["roles"], mappings=given.get("role_mappings"), by=call.by)
    return None


@contract.identity_pools.operation
def get_identity_pool_roles(call: Request) -> Reply:
    """AWS: API_GetIdentityPoolRoles."""
    pool = access.identity_pool(call["IdentityPoolId"])
    return shapes.output(call, {"identity_pool_id": pool.public_id, **identity_pools.roles(pool)})


@contract.identity_pools.operation
def set_principal_tag_attribute_map(call: Request) -> Reply:
    """AWS: API_SetPrincipalTagAttributeMap."""
    pool, provider = access.identity_pool(call["IdentityPoolId"]), call["IdentityProviderName"]
    found = identity_pools.set_tag_map(
        pool, provider, use_defaults=bool(call.get("UseDefaults")), tags=call.get("PrincipalTags"), by=call.by
    )
    return shapes.output(call, {"identity_pool_id": pool.public_id, "identity_provider_name": provider, **found})


@contract.identity_pools.operation
def get_principal_tag_attribute_map(call: Request) -> Reply:
    """AWS: API_GetPrincipalTagAttributeMap."""
    pool, provider = access.identity_pool(call["IdentityPoolId"]), call["IdentityProviderName"]
    found = identity_pools.tag_map(pool, provider)
    return shapes.output(call, {"identity_pool_id": pool.public_id, "identity_provider_name": provider, **found})
