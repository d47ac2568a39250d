"""Trips to a provider: begun by a browser, ended by the same one, once, with the answer that it brings back.

A trip is an interaction. Its address at the provider's side is ``state``, sealed, so that only what began here is
looked up; what a browser must hold is the nonce of its forms. What the answer means is the provider's kind's to say.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import structlog

from identity.foundation import sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, InteractionExpired
from pools import ports
from pools.models import AppClient, IdentityProvider, Interaction, UserPool
from pools.ports import ExternalIdentity, PostedForm, UpstreamRedirect, UpstreamWishes
from pools.services import audit, triggers
from pools.services.audit import Tag
from pools.services.pools import assurance_levels
from pools.services.pools.client_rules import THE_POOL
from pools.services.providers import arrivals, identity_providers, joining, our_side, proofs, upstream_sessions
from pools.services.providers.arrivals import Arrival
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind
from pools.services.triggers import Trigger

log = structlog.get_logger(__name__)
FORM_PATH, FORM = "login/provider/form", "form"
"""Where the page is whose form leads to a provider, and the parameter that names the form."""
MINUTES = 20
"""How long somebody may take at the provider. Amazon gives five; an authenticator may have to be fetched first."""
LONGEST_HINT, LONGEST_REASON = 256, 300


class Trip(NamedTuple):
    """A trip that has ended: with whom, and for what."""

    provider: IdentityProvider
    query: str
    """What the browser came for."""
    redirect: UpstreamRedirect
    callback: str


def offered(client: AppClient) -> list[IdentityProvider]:
    """Return the providers by which people may sign in to an app, in the order in which the app names them."""
    held = {each.name: each for each in identity_providers.held(client.pool)}
    return [held[name] for name in client.identity_providers if name in held]


def named(client: AppClient, *, name: str = "", identifier: str = "") -> IdentityProvider | None:
    """Return the provider of an app that a request names, by its name or by one of its identifiers."""
    for provider in offered(client):
        if provider.name == name or (identifier and identifier in identity_providers.identifiers(provider)):
            return provider
    return None


def names_provider(parameters: Mapping[str, str]) -> bool:
    """Say whether a request has people sent straight to an identity provider. AWS: The authorize endpoint."""
    return parameters.get("identity_provider", THE_POOL) != THE_POOL or "idp_identifier" in parameters


def asked(client: AppClient, parameters: Mapping[str, str]) -> IdentityProvider | None:
    """Return the provider of an app that a request asks for (``identity_provider``, else ``idp_identifier``)."""
    identifier = parameters.get("idp_identifier", "")
    return named(client, name=parameters.get("identity_provider", ""), identifier=identifier)


def depart(
    client: AppClient, provider: IdentityProvider, *, query: str, back: str, browser: str, wishes: UpstreamWishes
) -> str:
    """Begin a trip for the browser that holds this secret; return the address at the provider.

    ``query`` is what the browser came for, which it goes on to afterwards. ``back`` is the address for answers at the
    host where the trip begins, which has the browser's cookies: a pool has several, and its provider knows one.

    Raises:
        OutsideUnavailable: what the provider tells of itself cannot be had.
        Overloaded: too many calls are under way.

    """
    pool, trip_id = client.pool, interactions.new_id()
    details, ours = identity_providers.details(provider), our_side.of(pool, provider.type)
    redirect = ports.provider_kinds[provider.type].start(
        details, ours, state=sealed_id(pool, Kind.TRIP, trip_id), wishes=wishes
    )
    kept = {
        "provider": provider.name,
        "query": query,
        "back": back,
        "callback": ours.callback,
        "kept": dict(redirect.kept),
    }
    interactions.begin(pool, Kind.TRIP, seal(pool, kept), browser=browser, minutes=MINUTES, interaction_id=trip_id)
    return way(pool, redirect)


def way(pool: UserPool, redirect: UpstreamRedirect) -> str:
    """Return where a browser goes on a trip: to the provider, or to a page of ours whose form leads there."""
    if not redirect.fields:
        return redirect.url
    kept = seal(pool, {"url": redirect.url, "fields": dict(redirect.fields)})
    row_id = interactions.begin(pool, Kind.DEPARTURE, kept, browser=str(Kind.DEPARTURE), minutes=MINUTES)
    return f"{our_side.address(pool, FORM_PATH)}?{urlencode({FORM: sealed_id(pool, Kind.DEPARTURE, row_id)})}"


def form(pool: UserPool, named: str) -> PostedForm:
    """Return the form that leads to a provider, as often as its page is loaded.

    Raises:
        InteractionExpired: there is none by that name, or it is over.

    """
    row = interactions.require_live(pool, read_id(pool, Kind.DEPARTURE, named), kind=Kind.DEPARTURE)
    return PostedForm(**unseal(pool, row))


def wishes(client: AppClient, provider: IdentityProvider, parameters: Mapping[str, str]) -> UpstreamWishes:
    """Return what an app's request wishes of a trip, in the provider's words (OpenID Connect Core 3.1.2.1)."""
    levels = {name: level for level, name in assurance_levels.names(client.pool).items()}
    asked = [levels.get(word, "") for word in parameters.get("acr_values", "").split()]
    prompt = [word for word in parameters.get("prompt", "").split() if word != "none"]
    return UpstreamWishes(
        login_hint=parameters.get("login_hint", "")[:LONGEST_HINT],
        prompt=" ".join(prompt),
        acr_values=" ".join(provider.acr_mapping[level] for level in asked if level in provider.acr_mapping),
    )


def land(pool: UserPool, state: str, answer: Mapping[str, str], *, kind: Kind = Kind.TRIP) -> str:
    """Keep an answer that came without cookies; return the address at which its browser asks for it next, with them.

    A form of another site brings no cookie of ours: the navigation after it does. What began at another host of the
    pool's ends there, and what an operator tries (``kind``) at the console.

    Raises:
        InteractionExpired: no trip that is under way began with this state.

    """
    trip_id = read_id(pool, kind, state)
    back = unseal(pool, interactions.require_live(pool, trip_id, kind=kind))["back"]
    sealed = seal(pool, {"answer": dict(answer)})
    landing_id = interactions.begin(pool, Kind.LANDING, sealed, browser=str(trip_id), minutes=2)
    return f"{back}?{urlencode({'state': state, 'landing': sealed_id(pool, Kind.LANDING, landing_id)})}"


def began_elsewhere(pool: UserPool, state: str, here: str) -> bool:
    """Say whether a trip is under way that began at another host of the pool's than this address for answers."""
    try:
        row = interactions.require_live(pool, read_id(pool, Kind.TRIP, state), kind=Kind.TRIP)
    except InteractionExpired:
        return False
    return bool(unseal(pool, row)["back"] != here)


def is_state(pool: UserPool, text: str) -> bool:
    """Say whether a text is the state of a trip of this pool, which may be over."""
    try:
        read_id(pool, Kind.TRIP, text)
    except InteractionExpired:
        return False
    return True


def landed(pool: UserPool, state: str, landing: str, *, kind: Kind = Kind.TRIP) -> dict[str, str]:
    """Spend a kept answer, and return it.

    Raises:
        InteractionExpired: there is none, or it is another trip's.

    """
    trip_id, landing_id = read_id(pool, kind, state), read_id(pool, Kind.LANDING, landing)
    row = interactions.take(pool, landing_id, kind=Kind.LANDING, browser=str(trip_id))
    return {str(name): str(value) for name, value in unseal(pool, row)["answer"].items()}


def end(pool: UserPool, state: str, *, browser: str) -> Trip:
    """Spend a trip by one statement, and return it.

    Raises:
        InteractionExpired: unknown, spent, late, or another browser's; or its provider is gone.

    """
    row = interactions.take(pool, read_id(pool, Kind.TRIP, state), kind=Kind.TRIP, browser=browser)
    kept = unseal(pool, row)
    provider = joining.provider(pool, kept["provider"])
    if provider is None:
        raise InteractionExpired(detail="the provider was deleted meanwhile")
    return Trip(provider, kept["query"], UpstreamRedirect("", kept["kept"]), kept["callback"])


def purpose(pool: UserPool, state: str, *, browser: str) -> str:
    """Return what this browser went on a trip for, that is over or late too; empty for another browser's."""
    try:
        trip_id = read_id(pool, Kind.TRIP, state)
    except InteractionExpired:
        return ""
    return _query(pool, interactions.recall(pool, trip_id, kind=Kind.TRIP, browser=browser))


def purpose_of_arrival(pool: UserPool, arrival_id: str, *, browser: str) -> str:
    """Return what this browser came for that arrived, as :func:`purpose` does."""
    return _query(pool, interactions.recall(pool, arrival_id, kind=Kind.ARRIVAL, browser=browser))


def finish(pool: UserPool, trip: Trip, answer: Mapping[str, str], *, by: Actor) -> Arrival:
    """Return who came back, by what the browser brought; an audit row says why somebody did not.

    Raises:
        LoginDenied: the person or the provider said no.
        LoginRefused: the answer is forged, expired, or for somebody else.
        OutsideUnavailable, Overloaded: the provider does not answer, or too many calls are under way.
        Invalid: what it says of the person does not fit the pool.
        TriggerUnavailable: a function that may change what it says cannot be called.

    """
    provider = trip.provider
    try:
        identity: ExternalIdentity = ports.provider_kinds[provider.type].finish(
            identity_providers.details(provider),
            our_side.of(pool, provider.type, callback=trip.callback),
            trip.redirect,
            answer,
            wanted=arrivals.wanted_claims(provider),
        )
        proofs.take(provider, identity)
        triggers.check(pool, Trigger.INBOUND_FEDERATION)  # it may change each attribute, and refuse
        arrival = arrivals.arrival(pool, provider, identity)
        return replace(arrival, session=upstream_sessions.keep(pool, provider.name, identity))
    except DomainError as refusal:
        _record_refusal(pool, provider, refusal, by=by)
        raise


def _record_refusal(pool: UserPool, provider: IdentityProvider, refusal: DomainError, *, by: Actor) -> None:
    """Leave an audit row of who did not come in."""
    detail = described(provider, refusal)
    audit.record(Tag.PROVIDER_LOGIN_REFUSED, pool=pool, subject=provider.name, outcome="refused", by=by, detail=detail)


def described(provider: IdentityProvider, refusal: DomainError) -> dict[str, str]:
    """Return what the audit log says of a refusal: which check failed, or what the provider said."""
    said = str(refusal.parameters.get("error", ""))
    check = refusal.code if said else (refusal.detail or refusal.code)[:LONGEST_REASON]
    message = str(refusal.parameters.get(ports.MESSAGE, ""))
    return {"provider": provider.name, "check": check, "said": said, **({"message": message} if message else {})}


def keep(pool: UserPool, arrival: Arrival, query: str, *, browser: str) -> uuid.UUID:
    """Keep who came until their account is known; return the id by which the browser goes on."""
    kept = {"arrival": arrival.to_text(), "query": query}
    return interactions.begin(pool, Kind.ARRIVAL, seal(pool, kept), browser=browser, minutes=MINUTES)


class Kept(NamedTuple):
    """Somebody who came, until their account is known."""

    arrival: Arrival
    query: str
    """What the browser came for."""
    row: Interaction

    @property
    def since(self) -> datetime:
        """Return when they came."""
        return self.row.created_at

    def spend(self) -> DomainError | None:
        """Spend it in the transaction of what it leads to; return the slower duplicate's refusal."""
        return interactions.spend(self.row)


def kept(pool: UserPool, arrival_id: str, *, browser: str) -> Kept:
    """Return who came and what for, without ending it.

    Raises:
        InteractionExpired: unknown, spent, late, or another browser's.

    """
    row = interactions.peek(pool, arrival_id, kind=Kind.ARRIVAL, browser=browser)
    found = unseal(pool, row)
    return Kept(Arrival.from_text(found["arrival"]), found["query"], row)


def _query(pool: UserPool, row: Interaction | None) -> str:
    return str(unseal(pool, row)["query"]) if row is not None else ""


def sealed_id(pool: UserPool, kind: Kind, row_id: uuid.UUID) -> str:
    """Return the id of an interaction as others may see it: of this pool, and of this kind alone."""
    return sealing.seal_text(row_id.bytes, purpose=f"{kind}:{pool.public_id}")


def read_id(pool: UserPool, kind: Kind, text: str) -> uuid.UUID:
    """Return the id that :func:`sealed_id` wrote.

    Raises:
        InteractionExpired: it wrote no such text, or for another pool or kind.

    """
    try:
        return uuid.UUID(bytes=sealing.unseal_text(text, purpose=f"{kind}:{pool.public_id}"))
    except (sealing.Unsealable, ValueError):
        raise InteractionExpired(detail="no state of ours") from None


def seal(pool: UserPool, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an interaction keeps, sealed."""
    return {"sealed": sealing.seal_text(json.dumps(kept).encode(), purpose=f"interaction:{pool.public_id}")}


def unseal(pool: UserPool, row: Interaction) -> dict[str, Any]:
    """Return what an interaction keeps."""
    found: dict[str, Any] = json.loads(
        sealing.unseal_text(row.request["sealed"], purpose=f"interaction:{pool.public_id}")
    )
    return found
