"""Users, as operators see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import challenges, shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.people import users
from pools.services.sign_in import factors

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminCreateUserRequestTypeDef,
        AdminGetUserRequestTypeDef,
        ListUsersRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 60
MESSAGE = {None: "send", "SUPPRESS": "suppress", "RESEND": "resend"}


@user_pools.operation
def admin_create_user(call: AdminCreateUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminCreateUser."""
    user = users.create(
        access.pool(call["UserPoolId"]),
        call["Username"],
        attributes=shapes.attributes(call.get("UserAttributes", ())),
        temporary_password=call.get("TemporaryPassword"),
        message=MESSAGE[call.get("MessageAction")],
        force_alias=call.get("ForceAliasCreation", False),
        media=tuple(call.get("DesiredDeliveryMediums") or ()),
        by=by,
    )
    return {"User": shapes.user(user)}


@user_pools.operation
def admin_get_user(call: AdminGetUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminGetUser."""
    user = access.user(access.pool(call["UserPoolId"]), call["Username"])
    line = shapes.user(user)
    line["UserAttributes"] = line.pop("Attributes")
    return {**line, **challenges.mfa_of_user(user, factors.of(user))}


@user_pools.operation
def list_users(call: ListUsersRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListUsers."""
    pool = access.pool(call["UserPoolId"])
    page = users.page(pool, call.get("Limit") or MOST, call.get("PaginationToken"), call.get("Filter"))
    only = None if call.get("AttributesToGet") is None else frozenset(call["AttributesToGet"])
    users.check_present(pool, page.rows, only or frozenset())
    lines = [shapes.user(user, only=only) for user in page.rows]
    return shapes.page("Users", lines, "PaginationToken", page.token)
