"""Tags of a user pool, by its ARN. What a tag may be is ``pool_rules``; identity pools keep their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from identity.foundation import names
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid
from pools.models import UserPool
from pools.services import access
from pools.services.pools import user_pools


def pool_of(arn: str) -> UserPool:
    """Return the pool that an ARN names.

    Raises:
        Invalid: it is not the ARN of a user pool of this installation.
        PoolNotFound: no live pool has it.

    """
    before = names.pool_arn("")
    if not arn.startswith(before):
        raise Invalid("The resource ARN is not the ARN of a user pool.", field="resource_arn", code="arn")
    return access.pool(arn.removeprefix(before))


def tags(pool: UserPool) -> dict[str, str]:
    """Return a pool's tags."""
    return dict(pool.configuration.get("user_pool_tags") or {})


def add(pool: UserPool, given: Mapping[str, str], *, by: Actor) -> None:
    """Give a pool tags beside those that it has; a key that it has gets another value.

    Raises:
        Invalid: a tag breaks a rule, or they are too many.

    """
    user_pools.update(pool, lambda row: {"user_pool_tags": {**tags(row), **given}}, by=by)


def remove(pool: UserPool, keys: Collection[str], *, by: Actor) -> None:
    """Take tags from a pool; a key that it has not changes nothing."""

    def without(row: UserPool) -> dict[str, dict[str, str]]:
        return {"user_pool_tags": {key: text for key, text in tags(row).items() if key not in keys}}

    user_pools.update(pool, without, by=by)
