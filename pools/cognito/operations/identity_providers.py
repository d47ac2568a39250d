"""Identity providers of a pool, and links between their people and its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.providers import identity_providers, linking
from pools.services.providers.linking import Login

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminDisableProviderForUserRequestTypeDef,
        AdminLinkProviderForUserRequestTypeDef,
        CreateIdentityProviderRequestTypeDef,
        DeleteIdentityProviderRequestTypeDef,
        DescribeIdentityProviderRequestTypeDef,
        GetIdentityProviderByIdentifierRequestTypeDef,
        ListIdentityProvidersRequestTypeDef,
        ProviderUserIdentifierTypeTypeDef,
        UpdateIdentityProviderRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 60


@user_pools.operation
def create_identity_provider(call: CreateIdentityProviderRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateIdentityProvider."""
    pool = access.pool(call["UserPoolId"])
    provider = identity_providers.create(
        pool,
        call["ProviderName"],
        kind=call["ProviderType"],
        details=call["ProviderDetails"],
        attribute_mapping=call.get("AttributeMapping"),
        acr_mapping=call.get("AcrMapping"),
        identifiers=call.get("IdpIdentifiers") or (),
        by=by,
    )
    return {"IdentityProvider": shapes.identity_provider(pool, provider)}


@user_pools.operation
def describe_identity_provider(call: DescribeIdentityProviderRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeIdentityProvider."""
    pool = access.pool(call["UserPoolId"])
    return {"IdentityProvider": shapes.identity_provider(pool, identity_providers.named(pool, call["ProviderName"]))}


@user_pools.operation
def get_identity_provider_by_identifier(call: GetIdentityProviderByIdentifierRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetIdentityProviderByIdentifier."""
    pool = access.pool(call["UserPoolId"])
    provider = identity_providers.identified(pool, call["IdpIdentifier"])
    return {"IdentityProvider": shapes.identity_provider(pool, provider)}


@user_pools.operation
def list_identity_providers(call: ListIdentityProvidersRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListIdentityProviders."""
    pool = access.pool(call["UserPoolId"])
    page = identity_providers.page(pool, call.get("MaxResults") or MOST, call.get("NextToken"))
    return shapes.page("Providers", map(shapes.identity_provider_line, page.rows), "NextToken", page.token)


@user_pools.operation
def update_identity_provider(call: UpdateIdentityProviderRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateIdentityProvider."""
    pool = access.pool(call["UserPoolId"])
    changes = {
        "details": call.get("ProviderDetails"),
        "attribute_mapping": call.get("AttributeMapping"),
        "acr_mapping": call.get("AcrMapping"),
        "identifiers": call.get("IdpIdentifiers"),
    }
    provider = identity_providers.update(pool, call["ProviderName"], changes=changes, by=by)
    return {"IdentityProvider": shapes.identity_provider(pool, provider)}


@user_pools.operation
def delete_identity_provider(call: DeleteIdentityProviderRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteIdentityProvider."""
    identity_providers.delete(access.pool(call["UserPoolId"]), call["ProviderName"], by=by)
    return None


@user_pools.operation
def admin_link_provider_for_user(call: AdminLinkProviderForUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminLinkProviderForUser."""
    pool = access.pool(call["UserPoolId"])
    linking.link(pool, destination=login(call["DestinationUser"]), source=login(call["SourceUser"]), by=by)
    return {}


@user_pools.operation
def admin_disable_provider_for_user(call: AdminDisableProviderForUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminDisableProviderForUser."""
    linking.unlink(access.pool(call["UserPoolId"]), login(call["User"]), by=by)
    return {}


def login(given: ProviderUserIdentifierTypeTypeDef) -> Login:
    """Return whom ProviderUserIdentifierType names; what is left out is empty."""
    return Login(
        provider=given.get("ProviderName", ""),
        attribute=given.get("ProviderAttributeName", ""),
        value=given.get("ProviderAttributeValue", ""),
    )
