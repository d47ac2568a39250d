"""People whom a provider sends by itself: nobody went there from here. AWS: SAML session initiation.

No request of ours protects them: whoever gets somebody's browser to post a response of their own signs them in as
themselves. So it is only where an operator lets it be, and for apps that have no other way in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from identity.foundation.errors import ClientNotFound, InteractionExpired
from pools.models import IdentityProvider, UserPool
from pools.ports import UpstreamRedirect
from pools.services import access
from pools.services.pools import app_clients
from pools.services.providers import provider_rules, trips
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind


class Unasked(NamedTuple):
    """Somebody whom a provider sent by itself: nobody went there from here."""

    provider: IdentityProvider
    query: str
    """What it says that they come for: an app's request."""


def read(pool: UserPool, kind: str, query: str) -> Unasked | None:
    """Return whom a provider of a kind sends by itself, with an app's request; None unless all of it may be so.

    The provider lets people begin there, and the app lets nobody in but by providers of that kind. AWS: SAML session
    initiation.
    """
    asked = dict(parse_qsl(query))
    about = provider_rules.about(kind)
    if about is None:
        return None
    try:
        client = access.client_in(pool, asked.get("client_id", ""))
    except ClientNotFound:
        return None
    provider = trips.named(client, name=asked.get("identity_provider", ""), identifier=asked.get("idp_identifier", ""))
    if provider is None or provider.details.get(about.unasked_detail) != "true":
        return None
    if app_clients.has_directory(client) or any(each.type != kind for each in trips.offered(client)):
        return None
    return Unasked(provider, query)


def land(pool: UserPool, kind: str, query: str, answer: Mapping[str, str]) -> str:
    """Keep what somebody brought whom a provider sent by itself, until their browser asks for it with its cookies.

    Raises:
        InteractionExpired: nobody may come so.

    """
    if read(pool, kind, query) is None:
        raise InteractionExpired(detail="nobody is let in who was not sent there")
    kept = trips.seal(pool, {"answer": dict(answer), "query": query})
    return trips.sealed_id(pool, Kind.UNASKED, interactions.begin(pool, Kind.UNASKED, kept, browser=kind, minutes=2))


def end(pool: UserPool, kind: str, landing: str) -> tuple[trips.Trip, dict[str, str]]:
    """Spend what was kept of somebody whom a provider sent by itself; return it as a trip, and the answer.

    Raises:
        InteractionExpired: unknown, spent or late, or nobody may come so any more.

    """
    row = interactions.take(pool, trips.read_id(pool, Kind.UNASKED, landing), kind=Kind.UNASKED, browser=kind)
    kept = trips.unseal(pool, row)
    found = read(pool, kind, kept["query"])
    if found is None:
        raise InteractionExpired(detail="nobody is let in who was not sent there")
    return trips.Trip(found.provider, found.query, UpstreamRedirect("", {}), ""), kept["answer"]
