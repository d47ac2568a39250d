"""Signing out at a provider as well as here, whichever side begins it. What ends a browser's session is ``sessions``.

Where somebody goes on is kept in ``state``, sealed; no row is written, since nothing depends on their coming back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import structlog

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, InteractionExpired, LoginRefused, OutsideUnavailable, Overloaded
from pools import ports
from pools.models import ISSUER, IdentityProvider, UserPool
from pools.ports import SignOutMessage
from pools.services import assurance, audit
from pools.services.audit import Tag
from pools.services.providers import identity_providers, joining, our_side, trips, upstream_sessions
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind

log = structlog.get_logger(__name__)
LONGEST_ONWARD = 2000
SECONDS = 3600


class Leaving(NamedTuple):
    """What is kept of somebody who is signing out at their provider."""

    began: int
    onward: str
    provider: str


def leave(pool: UserPool, methods: Sequence[str], *, onward: str) -> str:
    """Return where somebody goes on who was signed out here, whose session these methods opened.

    That is their provider's own page for signing out, which leads back to :func:`left`, where an operator wants that
    and the provider has one; else ``onward``. A provider that does not answer keeps nobody signed in.
    """
    provider = joining.provider(pool, assurance.provider(methods))
    if provider is None or not identity_providers.signs_out(provider) or len(onward) > LONGEST_ONWARD:
        return onward
    kept = json.dumps(Leaving(clock.epoch(), onward, provider.name)).encode()
    state = sealing.seal_text(kept, purpose=_purpose(pool))
    try:
        details, ours = identity_providers.details(provider), our_side.of(pool, provider.type)
        session = upstream_sessions.of(pool, methods)
        return ports.provider_kinds[provider.type].leave(details, ours, state=state, session=session) or onward
    except (OutsideUnavailable, Overloaded) as problem:
        log.warning("provider_sign_out_left_out", provider=provider.name, why=problem.detail)
        return onward


def keep_way(pool: UserPool, url: str) -> str:
    """Keep where somebody goes on until a page of ours leads there; return by what its address names it."""
    kept = trips.seal(pool, {"url": url})
    row_id = interactions.begin(pool, Kind.LEAVING, kept, browser=str(Kind.LEAVING), minutes=2)
    return trips.sealed_id(pool, Kind.LEAVING, row_id)


def take_way(pool: UserPool, named: str) -> str:
    """Return, once, where somebody goes on.

    Raises:
        InteractionExpired: nobody does by that name, or any more.

    """
    row_id = trips.read_id(pool, Kind.LEAVING, named)
    row = interactions.take(pool, row_id, kind=Kind.LEAVING, browser=str(Kind.LEAVING))
    return str(trips.unseal(pool, row)["url"])


def left(pool: UserPool, state: str) -> str:
    """Return where somebody goes on who comes back from signing out at their provider.

    Raises:
        InteractionExpired: the state is not ours, or an hour old.

    """
    return _read(pool, state).onward


def come_back(pool: UserPool, kind: str, message: SignOutMessage, *, by: Actor) -> str | None:
    """Return where somebody goes on whom a provider of a kind sends back with its answer, that has to be its own.

    An answer that is not leaves an audit row: whether they are signed out there nobody knows. Here they are. None:
    it is no answer, and asks something of us.

    Raises:
        InteractionExpired: nobody who left with that state comes back.

    """
    protocol = ports.sign_out_protocols[kind]
    if not (state := protocol.state(message)):
        return None
    leaving = _read(pool, state)
    provider = joining.provider(pool, leaving.provider)
    if provider is None or provider.type != kind:
        raise InteractionExpired(detail="the provider was deleted meanwhile")
    try:
        details, ours = identity_providers.details(provider), our_side.of(pool, kind)
        protocol.check_answer(details, ours, message, state=state)
    except LoginRefused as refusal:
        _record(pool, provider, refusal, by=by)
    return leaving.onward


class Ended(NamedTuple):
    """What a provider ended."""

    sessions: list[UUID]
    """Browsers' sessions here."""
    onward: str
    """The way back with our answer; empty where it wants none."""


def end(pool: UserPool, kind: str, message: SignOutMessage, *, by: Actor) -> Ended:
    """End here what a provider of a kind says has ended there.

    Raises:
        LoginRefused: the message is forged, expired, or no provider's of the pool. An audit row says so.

    """
    protocol = ports.sign_out_protocols[kind]
    issuer = protocol.issuer(message)
    named = [each for each in identity_providers.held(pool) if each.type == kind and each.fetched.get(ISSUER) == issuer]
    if not named:
        raise LoginRefused(detail="sign-out: its sender is no provider of the pool")
    refusal: DomainError | None = None
    for provider in named:
        details, ours = identity_providers.details(provider), our_side.of(pool, kind)
        try:
            ended = protocol.ended(details, ours, message)
        except LoginRefused as problem:
            refusal = problem
            continue
        found = upstream_sessions.end(pool, provider.name, ended.subject, ended.names, by=by)
        return Ended(found, protocol.answer(details, ours, ended))
    _record(pool, named[0], refusal or LoginRefused(), by=by)
    raise refusal or LoginRefused()


def _record(pool: UserPool, provider: IdentityProvider, refusal: DomainError, *, by: Actor) -> None:
    detail = trips.described(provider, refusal)
    audit.record(
        Tag.PROVIDER_SIGN_OUT_REFUSED, pool=pool, subject=provider.name, outcome="refused", by=by, detail=detail
    )


def _read(pool: UserPool, state: str) -> Leaving:
    try:
        found = Leaving(*json.loads(sealing.unseal_text(state, purpose=_purpose(pool))))
    except (sealing.Unsealable, ValueError, TypeError):
        raise InteractionExpired(detail="no state of ours") from None
    if clock.epoch() - found.began > SECONDS:
        raise InteractionExpired(detail="too old")
    return found


def _purpose(pool: UserPool) -> str:
    return f"leaving:{pool.public_id}"
