"""Identity pools as operators set them up, and the identities in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pools.cognito import contract, shapes
from pools.cognito.contract import Reply
from pools.services import access
from pools.services.identity_pools import identities, identity_pool_settings, identity_pools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_cognito_identity.type_defs import (
        CreateIdentityPoolInputTypeDef,
        DeleteIdentitiesInputTypeDef,
        DeleteIdentityPoolInputTypeDef,
        DescribeIdentityInputTypeDef,
        DescribeIdentityPoolInputTypeDef,
        GetIdentityPoolRolesInputTypeDef,
        GetPrincipalTagAttributeMapInputTypeDef,
        IdentityPoolTypeDef,
        ListIdentitiesInputTypeDef,
        ListIdentityPoolsInputTypeDef,
        ListTagsForResourceInputTypeDef,
        SetIdentityPoolRolesInputTypeDef,
        SetPrincipalTagAttributeMapInputTypeDef,
        TagResourceInputTypeDef,
        UntagResourceInputTypeDef,
    )

    from identity.foundation.actor import Actor
    from pools.models import Identity, IdentityPool


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
def update_identity_pool(call: IdentityPoolTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateIdentityPool. It takes the whole pool: what is left out goes back to its default."""
    settings = shapes.settings("UpdateIdentityPool", call, without=("IdentityPoolId",))
    pool = identity_pools.update(access.identity_pool(call["IdentityPoolId"]), settings, whole=True, by=by)
    return shape("UpdateIdentityPool", pool)


@contract.identity_pools.operation
def delete_identity_pool(call: DeleteIdentityPoolInputTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteIdentityPool."""
    identity_pools.delete(access.identity_pool(call["IdentityPoolId"]), by=by)
    return None


@contract.identity_pools.operation
def list_identity_pools(call: ListIdentityPoolsInputTypeDef, by: Actor) -> Reply:
    """AWS: API_ListIdentityPools."""
    page = identity_pools.page(call["MaxResults"], call.get("NextToken"))
    lines = ({"IdentityPoolId": pool.public_id, "IdentityPoolName": pool.name} for pool in page.rows)
    return shapes.page("IdentityPools", lines, "NextToken", page.token)


@contract.identity_pools.operation
def tag_resource(call: TagResourceInputTypeDef, by: Actor) -> Reply:
    """AWS: API_TagResource."""
    identity_pools.tag(access.identity_pool_by_arn(call["ResourceArn"]), call["Tags"], by=by)
    return {}


@contract.identity_pools.operation
def untag_resource(call: UntagResourceInputTypeDef, by: Actor) -> Reply:
    """AWS: API_UntagResource."""
    identity_pools.untag(access.identity_pool_by_arn(call["ResourceArn"]), call["TagKeys"], by=by)
    return {}


@contract.identity_pools.operation
def list_tags_for_resource(call: ListTagsForResourceInputTypeDef, by: Actor) -> Reply:
    """AWS: API_ListTagsForResource."""
    return {"Tags": identity_pools.resource_tags(access.identity_pool_by_arn(call["ResourceArn"]))}


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


def identity_shape(identity: Identity, linked: Sequence[str]) -> dict[str, Any]:
    """Return IdentityDescription."""
    return {
        "IdentityId": identity.public_id,
        "Logins": list(linked),
        "CreationDate": identity.created_at,
        "LastModifiedDate": identity.modified_at,
    }


@contract.identity_pools.operation
def describe_identity(call: DescribeIdentityInputTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeIdentity."""
    found = access.identity(call["IdentityId"])
    return identity_shape(found, identities.providers(found.pool, [found])[found.pk])


@contract.identity_pools.operation
def list_identities(call: ListIdentitiesInputTypeDef, by: Actor) -> Reply:
    """AWS: API_ListIdentities."""
    pool = access.identity_pool(call["IdentityPoolId"])
    page = identities.page(
        pool, call["MaxResults"], call.get("NextToken"), hide_disabled=bool(call.get("HideDisabled"))
    )
    linked = identities.providers(pool, page.rows)
    lines = (identity_shape(identity, linked[identity.pk]) for identity in page.rows)
    return {"IdentityPoolId": pool.public_id, **shapes.page("Identities", lines, "NextToken", page.token)}


@contract.identity_pools.operation
def delete_identities(call: DeleteIdentitiesInputTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteIdentities. All of them go, or the call fails: none is ever left unprocessed."""
    identities.delete(call["IdentityIdsToDelete"], by=by)
    return {"UnprocessedIdentityIds": []}
