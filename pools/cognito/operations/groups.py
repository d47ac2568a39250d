"""Groups of a pool, and who is in them. A user's own groups are told in ``users``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.people import groups

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminAddUserToGroupRequestTypeDef,
        AdminRemoveUserFromGroupRequestTypeDef,
        CreateGroupRequestTypeDef,
        DeleteGroupRequestTypeDef,
        GetGroupRequestTypeDef,
        ListGroupsRequestTypeDef,
        ListUsersInGroupRequestTypeDef,
        UpdateGroupRequestTypeDef,
    )

    from identity.foundation.actor import Actor

MOST = 60


@user_pools.operation
def create_group(call: CreateGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_CreateGroup."""
    pool = access.pool(call["UserPoolId"])
    group = groups.create(
        pool,
        call["GroupName"],
        description=call.get("Description"),
        role_arn=call.get("RoleArn"),
        precedence=call.get("Precedence"),
        by=by,
    )
    return {"Group": shapes.group(pool, group)}


@user_pools.operation
def get_group(call: GetGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_GetGroup."""
    pool = access.pool(call["UserPoolId"])
    return {"Group": shapes.group(pool, groups.named(pool, call["GroupName"]))}


@user_pools.operation
def update_group(call: UpdateGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UpdateGroup."""
    pool = access.pool(call["UserPoolId"])
    changes = shapes.settings("UpdateGroup", call, without=("UserPoolId", "GroupName"))
    return {"Group": shapes.group(pool, groups.update(pool, call["GroupName"], changes=changes, by=by))}


@user_pools.operation
def delete_group(call: DeleteGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_DeleteGroup."""
    groups.delete(access.pool(call["UserPoolId"]), call["GroupName"], by=by)
    return None


@user_pools.operation
def list_groups(call: ListGroupsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListGroups."""
    pool = access.pool(call["UserPoolId"])
    page = groups.page(pool, call.get("Limit") or MOST, call.get("NextToken"))
    return shapes.page("Groups", [shapes.group(pool, row) for row in page.rows], "NextToken", page.token)


@user_pools.operation
def list_users_in_group(call: ListUsersInGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListUsersInGroup."""
    pool = access.pool(call["UserPoolId"])
    page = groups.members(pool, call["GroupName"], call.get("Limit") or MOST, call.get("NextToken"))
    return shapes.page("Users", [shapes.user(row) for row in page.rows], "NextToken", page.token)


@user_pools.operation
def admin_add_user_to_group(call: AdminAddUserToGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminAddUserToGroup."""
    pool = access.pool(call["UserPoolId"])
    groups.add(pool, access.user(pool, call["Username"]), call["GroupName"], by=by)
    return None


@user_pools.operation
def admin_remove_user_from_group(call: AdminRemoveUserFromGroupRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminRemoveUserFromGroup."""
    pool = access.pool(call["UserPoolId"])
    groups.remove(pool, access.user(pool, call["Username"]), call["GroupName"], by=by)
    return None
