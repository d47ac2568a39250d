"""Signing up: a person's own account, confirmed by a code or by an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from identity.foundation.errors import Invalid
from pools.cognito import client_addresses, shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.sign_up import sign_up as services

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminConfirmSignUpRequestTypeDef,
        ConfirmSignUpRequestTypeDef,
        ResendConfirmationCodeRequestTypeDef,
        SignUpRequestTypeDef,
    )

    from identity.foundation.actor import Actor

NEEDED = "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null"


@user_pools.operation
def sign_up(call: SignUpRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_SignUp."""
    client, by = client_addresses.app_of(call, by)
    if "Password" not in call:
        raise Invalid(NEEDED, field="password")  # accounts without one come with passwordless sign-in
    done = services.sign_up(
        client,
        call["Username"],
        password=call["Password"],
        attributes=shapes.attributes(call.get("UserAttributes", ())),
        by=by,
    )
    return {
        "UserConfirmed": done.confirmed,
        "UserSub": str(done.user_sub),
        **({"CodeDeliveryDetails": shapes.delivery(done.delivery)} if done.delivery else {}),
    }


@user_pools.operation
def confirm_sign_up(call: ConfirmSignUpRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ConfirmSignUp."""
    client, by = client_addresses.app_of(call, by)
    services.confirm(
        client,
        call["Username"],
        code=call["ConfirmationCode"],
        force_alias=call.get("ForceAliasCreation", False),
        by=by,
    )
    return {}


@user_pools.operation
def admin_confirm_sign_up(call: AdminConfirmSignUpRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminConfirmSignUp."""
    services.admin_confirm(access.pool(call["UserPoolId"]), call["Username"], by=by)
    return {}


@user_pools.operation
def resend_confirmation_code(call: ResendConfirmationCodeRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ResendConfirmationCode."""
    client, by = client_addresses.app_of(call, by)
    return {"CodeDeliveryDetails": shapes.delivery(services.resend(client, call["Username"], by=by))}
