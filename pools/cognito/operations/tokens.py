"""Tokens: new ones for a refresh token, and ending it with what hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation.errors import NotAvailable
from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.tokens import refresh, revoke

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import GetTokensFromRefreshTokenRequestTypeDef, RevokeTokenRequestTypeDef

    from identity.foundation.actor import Actor


@user_pools.operation
def get_tokens_from_refresh_token(call: GetTokensFromRefreshTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetTokensFromRefreshToken. The secret itself proves the client here."""
    client = access.client(call["ClientId"])
    access.authenticate(client, [call.get("ClientSecret")], by=by)
    found = refresh.refresh(client, call["RefreshToken"], by=by)
    return {"AuthenticationResult": shapes.authentication_result(found)}


@user_pools.operation
def revoke_token(call: RevokeTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_RevokeToken."""
    client = access.client(call["ClientId"])
    access.authenticate(client, [call.get("ClientSecret")], by=by)
    if call.get("RevokeAssociatedSessions", "NONE") != "NONE":
        raise NotAvailable("RevokeAssociatedSessions is not available in this release.")
    revoke.revoke(client, call["Token"], by=by)
    return {}
