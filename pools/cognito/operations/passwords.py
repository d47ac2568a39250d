"""Passwords: forgotten, changed, set by an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import client_addresses, shapes
from pools.cognito.contract import Reply, user_pools
from pools.cognito.operations import account
from pools.services import access
from pools.services.people import passwords

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminSetUserPasswordRequestTypeDef,
        ChangePasswordRequestTypeDef,
        ConfirmForgotPasswordRequestTypeDef,
        ForgotPasswordRequestTypeDef,
    )

    from identity.foundation.actor import Actor


@user_pools.operation
def forgot_password(call: ForgotPasswordRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ForgotPassword."""
    client, by = client_addresses.app_of(call, by)
    return {"CodeDeliveryDetails": shapes.delivery(passwords.forgot(client, call["Username"], by=by))}


@user_pools.operation
def confirm_forgot_password(call: ConfirmForgotPasswordRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ConfirmForgotPassword."""
    client, by = client_addresses.app_of(call, by)
    passwords.confirm_forgot(client, call["Username"], code=call["ConfirmationCode"], password=call["Password"], by=by)
    return {}


@user_pools.operation
def change_password(call: ChangePasswordRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ChangePassword."""
    # The previous password is a proof of its own; without one, a first password is given to somebody who had none.
    bearer, user = account.behind(call["AccessToken"], changing_proof="PreviousPassword" not in call)
    passwords.change(
        bearer.pool,
        user,
        previous=call.get("PreviousPassword"),
        proposed=call["ProposedPassword"],
        by=account.acting(by, bearer),
    )
    return {}


@user_pools.operation
def admin_set_user_password(call: AdminSetUserPasswordRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminSetUserPassword."""
    pool = access.pool(call["UserPoolId"])
    user = access.user(pool, call["Username"])
    passwords.admin_set(pool, user, call["Password"], permanent=call.get("Permanent", False), by=by)
    return {}
