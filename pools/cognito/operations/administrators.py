"""What administrators do with a user that is there, second factors aside (``factors``).

People do the same with their own account in ``account``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import challenges, shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.people import attributes, groups, password_resets, passwords, users
from pools.services.sign_in import factors

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminDeleteUserAttributesRequestTypeDef,
        AdminDeleteUserRequestTypeDef,
        AdminDisableUserRequestTypeDef,
        AdminEnableUserRequestTypeDef,
        AdminGetUserAuthFactorsRequestTypeDef,
        AdminListGroupsForUserRequestTypeDef,
        AdminResetUserPasswordRequestTypeDef,
        AdminUpdateUserAttributesRequestTypeDef,
        AdminUserGlobalSignOutRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 60


@user_pools.operation
def admin_update_user_attributes(call: AdminUpdateUserAttributesRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminUpdateUserAttributes."""
    pool = access.pool(call["UserPoolId"])
    user = access.user(pool, call["Username"])
    attributes.admin_update(pool, user, shapes.attributes(call["UserAttributes"]), by=by)
    return {}


@user_pools.operation
def admin_delete_user_attributes(call: AdminDeleteUserAttributesRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminDeleteUserAttributes."""
    pool = access.pool(call["UserPoolId"])
    user = access.user(pool, call["Username"])
    attributes.admin_update(pool, user, dict.fromkeys(call["UserAttributeNames"], ""), by=by)
    return {}


@user_pools.operation
def admin_delete_user(call: AdminDeleteUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminDeleteUser."""
    pool = access.pool(call["UserPoolId"])
    users.delete(pool, access.user(pool, call["Username"]), by=by)
    return None


@user_pools.operation
def admin_enable_user(call: AdminEnableUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminEnableUser."""
    pool = access.pool(call["UserPoolId"])
    users.set_enabled(pool, access.user(pool, call["Username"]), True, by=by)
    return {}


@user_pools.operation
def admin_disable_user(call: AdminDisableUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminDisableUser."""
    pool = access.pool(call["UserPoolId"])
    users.set_enabled(pool, access.user(pool, call["Username"]), False, by=by)
    return {}


@user_pools.operation
def admin_reset_user_password(call: AdminResetUserPasswordRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminResetUserPassword."""
    pool = access.pool(call["UserPoolId"])
    password_resets.end_password(pool, access.user(pool, call["Username"]), by=by)
    return {}


@user_pools.operation
def admin_user_global_sign_out(call: AdminUserGlobalSignOutRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminUserGlobalSignOut."""
    pool = access.pool(call["UserPoolId"])
    users.global_sign_out(pool, access.user(pool, call["Username"]), by=by)
    return {}


@user_pools.operation
def admin_list_groups_for_user(call: AdminListGroupsForUserRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminListGroupsForUser."""
    pool = access.pool(call["UserPoolId"])
    user = access.user(pool, call["Username"])
    page = groups.page_of(pool, user, call.get("Limit") or MOST, call.get("NextToken"))
    return shapes.page("Groups", [shapes.group(pool, row) for row in page.rows], "NextToken", page.token)


@user_pools.operation
def admin_get_user_auth_factors(call: AdminGetUserAuthFactorsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminGetUserAuthFactors."""
    pool = access.pool(call["UserPoolId"])
    user = access.user(pool, call["Username"])
    return challenges.auth_factors(user, factors.of(user), has_password=passwords.has_one(pool, user.id))
