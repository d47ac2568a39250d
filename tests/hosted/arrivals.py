"""Somebody who has come from an identity provider, without one: as the way back leaves them."""

from __future__ import annotations

import secrets
import uuid
from urllib.parse import urlencode, urlsplit

from tests import providers
from tests.hosted.world import Visitor, World

NAME = "Google"


def arrive(world: World, visitor: Visitor, **values: str) -> None:
    """Bring a browser to the page that asks for what a new account of a provider's person lacks."""
    from pools.models import IdentityProvider
    from pools.services import access
    from pools.services.providers import trips
    from pools.services.providers.arrivals import Arrival

    with world.live.orm():
        pool = access.pool(world.pool_id)
        is_there = IdentityProvider.objects.filter(pool_id=pool.pk, name=NAME).exists()
    if not is_there:
        world.idp.create_identity_provider(UserPoolId=world.pool_id, **providers.request(NAME))
    client_id = world.app("With Google", SupportedIdentityProviders=["COGNITO", NAME])
    address = world.url(client_id=client_id)
    secret = secrets.token_urlsafe(24)
    visitor.session.cookies.set(f"cg-{world.pool_id.rpartition('_')[2]}-trip", secret)
    arrival = Arrival(NAME, uuid.uuid4().hex, {"email": f"{uuid.uuid4().hex}@example.org", **values})
    with world.live.orm():
        kept = trips.keep(access.pool(world.pool_id), arrival, urlsplit(address).query, browser=secret)
    asked = {"client_id": client_id, "redirect_uri": world.callback, "arrival": str(kept)}
    visitor.open(f"{world.base}/login/join?{urlencode(asked)}")
