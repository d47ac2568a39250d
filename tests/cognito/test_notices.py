"""What owners of accounts are mailed about changes made through the API: nothing, as at Amazon, or as of pages."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep

import pytest

from tests.cognito.administrators import about
from tests.cognito.conftest import PASSWORD, World

OWN = "Battery-staple-8"


def ask_for_notices(world: World) -> None:
    """Have a pool's people mailed, as an operator switches it on, and wait until every process knows it."""
    from identity.foundation.actor import Actor
    from pools.services import access
    from pools.services.pools import user_pools

    with world.live.orm():
        user_pools.update(access.pool(world.pool_id), {"notices_of_api_changes": True}, by=Actor.system())
    sleep(2)


def queued(world: World) -> int:
    """Count the notices to people of a pool, whether or not they have arrived."""
    from pools.models import OutboxMessage
    from pools.services import access

    with world.live.orm():
        return OutboxMessage.objects.filter(pool_id=access.pool(world.pool_id).pk, purpose="notice").count()


@pytest.mark.parametrize(("asks", "expected"), [(False, 0), (True, 5)], ids=["as at Amazon", "asked for"])
def test_changes_through_the_api_are_mailed_where_the_pool_asks_for_it(
    new_world: Callable[..., World], asks: bool, expected: int
) -> None:
    world = new_world()
    world.mfa("OPTIONAL")
    if asks:
        ask_for_notices(world)
    name = world.person()  # whose password an administrator sets
    token = world.tokens(name)["AccessToken"]

    world.anyone.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=OWN)
    world.enrol(token)
    about(world, name, "admin_delete_software_token")

    assert queued(world) == expected
    if asks:
        world.live.message(f"{name}@example.com", count=expected, notices=True)
