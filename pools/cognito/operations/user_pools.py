"""User pools: create, describe, update, delete, list, and their second factors."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import certificates
from pools.services.pools import user_pools as pools

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AddCustomAttributesRequestTypeDef,
        CreateUserPoolRequestTypeDef,
        DeleteUserPoolRequestTypeDef,
        DescribeUserPoolRequestTypeDef,
        GetSigningCertificateRequestTypeDef,
        GetUserPoolMfaConfigRequestTypeDef,
        ListUserPoolsRequestTypeDef,
        SetUserPoolMfaConfigRequestTypeDef,
        UpdateUserPoolRequestTypeDef,
    )

    from identity.foundation.actor import Actor


@user_pools.operation
def create_user_pool(call: CreateUserPoolRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateUserPool."""
    pool = pools.create(
        call["PoolName"], settings=shapes.settings("CreateUserPool", call, without=("PoolName",)), by=by
    )
    return {"UserPool": shapes.user_pool(pool)}


@user_pools.operation
def describe_user_pool(call: DescribeUserPoolRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DescribeUserPool. Where no tag was set it tells so, and the answer to CreateUserPool does not."""
    return {"UserPool": {"UserPoolTags": {}, **shapes.user_pool(access.pool(call["UserPoolId"]))}}


@user_pools.operation
def update_user_pool(call: UpdateUserPoolRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateUserPool."""
    settings = shapes.settings("UpdateUserPool", call, without=("UserPoolId",))
    pools.update(access.pool(call["UserPoolId"]), settings, whole=True, by=by)
    return {}


@user_pools.operation
def add_custom_attributes(call: AddCustomAttributesRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AddCustomAttributes."""
    settings = shapes.settings("AddCustomAttributes", call, without=("UserPoolId",))
    pools.add_attributes(access.pool(call["UserPoolId"]), settings["custom_attributes"], by=by)
    return {}


@user_pools.operation
def delete_user_pool(call: DeleteUserPoolRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteUserPool."""
    pools.delete(access.pool(call["UserPoolId"]), by=by)
    return None


@user_pools.operation
def list_user_pools(call: ListUserPoolsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListUserPools."""
    page = pools.page(call["MaxResults"], call.get("NextToken"))
    return shapes.page("UserPools", map(shapes.user_pool_line, page.rows), "NextToken", page.token)


@user_pools.operation
def get_signing_certificate(call: GetSigningCertificateRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetSigningCertificate. Base64 without armour."""
    found = certificates.certificate(access.pool(call["UserPoolId"]), by=by)
    return {"Certificate": b64encode(found).decode()}


@user_pools.operation
def get_user_pool_mfa_config(call: GetUserPoolMfaConfigRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetUserPoolMfaConfig."""
    return shapes.output("GetUserPoolMfaConfig", pools.mfa_configuration(access.pool(call["UserPoolId"])))


@user_pools.operation
def set_user_pool_mfa_config(call: SetUserPoolMfaConfigRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_SetUserPoolMfaConfig."""
    settings = shapes.settings("SetUserPoolMfaConfig", call, without=("UserPoolId",))
    by_sms = settings.pop("sms_mfa_configuration", None)
    if by_sms is not None:  # that it is there, empty or not, asks for the factor; what it holds are the pool's settings
        settings |= {**by_sms, "sms_mfa_configuration": {"enabled": True}}
    pool = pools.set_mfa(access.pool(call["UserPoolId"]), settings=settings, by=by)
    return shapes.output("SetUserPoolMfaConfig", pools.mfa_configuration(pool))
