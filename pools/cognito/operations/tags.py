"""Tags of user pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.cognito.contract import Reply, user_pools
from pools.services.pools import tags

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        ListTagsForResourceRequestTypeDef,
        TagResourceRequestTypeDef,
        UntagResourceRequestTypeDef,
    )

    from identity.foundation.actor import Actor


@user_pools.operation
def tag_resource(call: TagResourceRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_TagResource."""
    tags.add(tags.pool_of(call["ResourceArn"]), call["Tags"], by=by)
    return {}


@user_pools.operation
def untag_resource(call: UntagResourceRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_UntagResource."""
    tags.remove(tags.pool_of(call["ResourceArn"]), call["TagKeys"], by=by)
    return {}


@user_pools.operation
def list_tags_for_resource(call: ListTagsForResourceRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_ListTagsForResource."""
    return {"Tags": tags.tags(tags.pool_of(call["ResourceArn"]))}
