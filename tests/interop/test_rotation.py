"""A rotated key signs and is believed at once, at every worker."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest

from tests.interop.conftest import World

pytestmark = pytest.mark.interop


def test_credentials_go_on_while_the_key_changes_at_every_worker(world: World, shape: Callable[..., None]) -> None:
    from identity.foundation.actor import Actor
    from pools.services import configuration
    from pools.services.pools import signing_keys

    shape(workers=2)
    logins = world.logins(world.person())
    identity_id = world.get_id(logins)
    old = kids_of_tokens(world, identity_id, logins)
    assert len(old) == 1

    with world.live.orm():
        configuration.cache.forget_everything()
        signing_keys.rotate(None, by=Actor.system())
        configuration.cache.forget_everything()
    until = monotonic() + 6
    while monotonic() < until:
        fresh(world).get_credentials_for_identity(IdentityId=identity_id, Logins=logins)
        sleep(0.1)

    new = kids_of_tokens(world, identity_id, logins)
    assert len(new) == 1
    assert new != old
    assert [key["kid"] for key in world.jwks()][:2] == [*new, *old]


def fresh(world: World) -> Any:  # noqa: ANN401 - boto3's own
    """Return a client with a connection of its own, which either worker may take."""
    return world.live.boto("cognito-identity", signed=False)


def kids_of_tokens(world: World, identity_id: str, logins: dict[str, str]) -> set[str]:
    """Return the keys that sign tokens now, asked often enough to meet every worker."""
    from pools.services.pools import signing_keys

    tokens = [fresh(world).get_open_id_token(IdentityId=identity_id, Logins=logins)["Token"] for _ in range(12)]
    return {str(signing_keys.unverified_header(token)["kid"]) for token in tokens}
