"""Identities of people whom an identity pool's own developers sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import contract
from pools.cognito.contract import Reply
from pools.services import access
from pools.services.identity_pools import developers

if TYPE_CHECKING:
    from mypy_boto3_cognito_identity.type_defs import (
        GetOpenIdTokenForDeveloperIdentityInputTypeDef,
        LookupDeveloperIdentityInputTypeDef,
        MergeDeveloperIdentitiesInputTypeDef,
        UnlinkDeveloperIdentityInputTypeDef,
    )

    from identity.foundation.actor import Actor

LONGEST_PAGE = 60


@contract.identity_pools.operation
def get_open_id_token_for_developer_identity(call: GetOpenIdTokenForDeveloperIdentityInputTypeDef, by: Actor) -> Reply:
    """AWS: API_GetOpenIdTokenForDeveloperIdentity."""
    identity_id, token = developers.open_id_token(
        access.identity_pool(call["IdentityPoolId"]),
        call["Logins"],
        identity_id=call.get("IdentityId"),
        tags=call.get("PrincipalTags"),
        life=call.get("TokenDuration", developers.TOKEN_LIFE),
        by=by,
    )
    return {"IdentityId": identity_id, "Token": token}


@contract.identity_pools.operation
def lookup_developer_identity(call: LookupDeveloperIdentityInputTypeDef, by: Actor) -> Reply:
    """AWS: API_LookupDeveloperIdentity."""
    identity_id, page = developers.look_up(
        access.identity_pool(call["IdentityPoolId"]),
        identity_id=call.get("IdentityId"),
        user=call.get("DeveloperUserIdentifier"),
        limit=call.get("MaxResults", LONGEST_PAGE),
        token=call.get("NextToken"),
    )
    found = {"IdentityId": identity_id, "DeveloperUserIdentifierList": list(page.rows)}
    return {**found, **({"NextToken": page.token} if page.token else {})}


@contract.identity_pools.operation
def merge_developer_identities(call: MergeDeveloperIdentitiesInputTypeDef, by: Actor) -> Reply:
    """AWS: API_MergeDeveloperIdentities."""
    stays = developers.merge(
        access.identity_pool(call["IdentityPoolId"]),
        call["SourceUserIdentifier"],
        call["DestinationUserIdentifier"],
        provider=call["DeveloperProviderName"],
        by=by,
    )
    return {"IdentityId": stays}


@contract.identity_pools.operation
def unlink_developer_identity(call: UnlinkDeveloperIdentityInputTypeDef, by: Actor) -> Reply:
    """AWS: API_UnlinkDeveloperIdentity."""
    pool, provider = access.identity_pool(call["IdentityPoolId"]), call["DeveloperProviderName"]
    developers.unlink(call["IdentityId"], pool, call["DeveloperUserIdentifier"], provider=provider, by=by)
    return None
