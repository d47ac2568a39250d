"""Tokens: new ones for a refresh token, and ending it with what hangs on it."""

from __future__ import annotations

from identity.foundation.errors import NotAvailable
from pools.cognito import shapes
from pools.cognito.contract import Reply, Request, user_pools
from pools.services import access
from pools.services.tokens import tokens as services


@user_pools.operation
def get_tokens_from_refresh_token(call: Request) -> Reply:
    """AWS: API_GetTokensFromRefreshToken. The secret itself proves the client here."""
    client = access.client(call["ClientId"])
    access.authenticate(client, [call.get("ClientSecret")], by=call.by)
    found = services.refresh(client, call["RefreshToken"], by=call.by)
    return {"AuthenticationResult": shapes.authentication_result(found)}


@user_pools.operation
def revoke_token(call: Request) -> Reply:
    """AWS: API_RevokeToken."""
    client = access.client(call["ClientId"])
    access.authenticate(client, [call.get("ClientSecret")], by=call.by)
    if call.get("RevokeAssociatedSessions", "NONE") != "NONE":
        raise NotAvailable("RevokeAssociatedSessions is not available in this release.")
    services.revoke(client, call["Token"], by=call.by)
    return {}
