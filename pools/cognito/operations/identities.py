"""What identity pools give to applications: an identity, its token, its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import contract
from pools.cognito.contract import Reply
from pools.services import access
from pools.services.identity_pools import identity_pools

if TYPE_CHECKING:
    from mypy_boto3_cognito_identity.type_defs import (
        GetCredentialsForIdentityInputTypeDef,
        GetIdInputTypeDef,
        GetOpenIdTokenInputTypeDef,
        UnlinkIdentityInputTypeDef,
    )

    from identity.foundation.actor import Actor


@contract.identity_pools.operation
def get_id(call: GetIdInputTypeDef, by: Actor) -> Reply:
    """AWS: API_GetId."""
    pool = access.identity_pool(call["IdentityPoolId"])
    return {"IdentityId": identity_pools.get_id(pool, call.get("Logins", {}), by=by)}


@contract.identity_pools.operation
def get_open_id_token(call: GetOpenIdTokenInputTypeDef, by: Actor) -> Reply:
    """AWS: API_GetOpenIdToken."""
    identity_id, token = identity_pools.open_id_token(call["IdentityId"], call.get("Logins", {}), by=by)
    return {"IdentityId": identity_id, "Token": token}


@contract.identity_pools.operation
def get_credentials_for_identity(call: GetCredentialsForIdentityInputTypeDef, by: Actor) -> Reply:
    """AWS: API_GetCredentialsForIdentity."""
    vended = identity_pools.credentials(
        call["IdentityId"], call.get("Logins", {}), custom_role=call.get("CustomRoleArn"), by=by
    )
    given = vended.credentials
    return {
        "IdentityId": vended.identity_id,
        "Credentials": {
            "AccessKeyId": given.access_key_id,
            "SecretKey": given.secret_key,
            "SessionToken": given.session_token,
            "Expiration": given.expiration,
        },
    }


@contract.identity_pools.operation
def unlink_identity(call: UnlinkIdentityInputTypeDef, by: Actor) -> Reply:
    """AWS: API_UnlinkIdentity."""
    identity_pools.unlink(call["IdentityId"], call["Logins"], call["LoginsToRemove"], by=by)
    return None
