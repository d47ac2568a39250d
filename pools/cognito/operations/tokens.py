"""Tokens: ending a refresh token and what hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation.errors import NotAvailable
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.tokens import tokens as services

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import RevokeTokenRequestTypeDef

    from pools.services.audit import Actor


@user_pools.operation
def revoke_token(call: RevokeTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_RevokeToken."""
    client = access.client(call["ClientId"])
    access.authenticate(client, call.get("ClientSecret"))
    if call.get("RevokeAssociatedSessions", "NONE") != "NONE":
        raise NotAvailable("RevokeAssociatedSessions is not available in this release.")
    services.revoke(client, call["Token"], by=by)
    return {}
