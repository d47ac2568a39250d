"""An operator's try of a provider: what it tells of somebody and where that would lead, without anybody signed in.

A try comes back to the one address that the provider knows, the pool's, which only leads on: it ends where it began,
in the console, in the session of the operator who began it. So no other browser can end it, whoever's answer it brings,
and what ends it there is no trip of a person's. Nothing is made, linked or kept but a row of the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction

from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, InteractionExpired, Invalid
from pools import ports
from pools.models import IdentityProvider, UserPool
from pools.ports import ExternalIdentity, UpstreamRedirect
from pools.services import audit
from pools.services.audit import Tag
from pools.services.people import profile
from pools.services.pools import schema
from pools.services.providers import arrivals, identity_providers, joining, our_side, proofs, trips
from pools.services.providers.identity_providers import ProviderNotSupported
from pools.services.providers.joining import Foreseen
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind

MOST_CLAIMS = 200


@dataclass(frozen=True, slots=True)
class Mapped:
    """A row of the provider's mapping, and what came of it."""

    attribute: str
    claim: str
    value: str = field(default="", repr=False)
    """Empty where the provider did not tell it."""
    problem: DomainError | None = None
    """Why the pool cannot take the value."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a try showed."""

    refusal: DomainError | None = None
    """What kept the provider from telling anything; all else is empty then."""
    subject: str = field(default="", repr=False)
    claims: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """What the provider told, by name; no token is among it."""
    mapped: Sequence[Mapped] = ()
    missing: Sequence[str] = ()
    """Attributes that the pool wants of each person, and the provider did not give."""
    problems: Sequence[DomainError] = ()
    """What is wrong beside the mapping: nobody would be signed in."""
    foreseen: Foreseen | None = None
    """Where a sign-in would lead; None where something is wrong."""
    level: int = 1
    methods: Sequence[str] = ()


def begin(pool: UserPool, provider: IdentityProvider, *, back: str, session: str) -> str:
    """Begin a try; return the address at the provider. ``back`` is the address of the console at which it ends.

    ``session`` is a secret of the operator's session there: :func:`end` wants the same.

    Raises:
        ProviderNotSupported: it is of a kind that this release does not have.
        OutsideUnavailable: what the provider tells of itself cannot be had.
        Overloaded: too many calls are under way.

    """
    kind = ports.provider_kinds.get(provider.type)
    if kind is None:
        raise ProviderNotSupported
    trial_id, ours = interactions.new_id(), our_side.of(pool, provider.type)
    state = trips.sealed_id(pool, Kind.TRIAL, trial_id)
    redirect = kind.start(identity_providers.details(provider), ours, state=state)
    kept = {"provider": str(provider.id), "back": back, "callback": ours.callback, "kept": dict(redirect.kept)}
    interactions.begin(
        pool, Kind.TRIAL, trips.seal(pool, kept), browser=session, minutes=trips.MINUTES, interaction_id=trial_id
    )
    return trips.way(pool, redirect)


def land(pool: UserPool, state: str, answer: Mapping[str, str]) -> str | None:
    """Keep a provider's answer to a try, unread; return where its browser is to bring it. None: it is no try's.

    Raises:
        InteractionExpired: the try is over.

    """
    try:
        trips.read_id(pool, Kind.TRIAL, state)
    except InteractionExpired:
        return None
    return trips.land(pool, state, answer, kind=Kind.TRIAL)


def end(pool: UserPool, provider: IdentityProvider, *, state: str, landing: str, session: str, by: Actor) -> Report:
    """Spend a try and the answer that was kept for it, and return what they show. An audit row says that it was tried.

    Raises:
        InteractionExpired: unknown, spent, late, another provider's, or begun in another session.
        Overloaded: too many calls are under way.

    """
    row = interactions.peek(pool, trips.read_id(pool, Kind.TRIAL, state), kind=Kind.TRIAL, browser=session)
    kept = trips.unseal(pool, row)
    if kept["provider"] != str(provider.id):
        raise InteractionExpired(detail="another provider was tried")
    if (refusal := interactions.spend(row)) is not None:
        raise refusal
    answer = trips.landed(pool, state, landing, kind=Kind.TRIAL)
    try:
        identity: ExternalIdentity = ports.provider_kinds[provider.type].finish(
            identity_providers.details(provider),
            our_side.of(pool, provider.type, callback=kept["callback"]),
            UpstreamRedirect("", kept["kept"]),
            answer,
            wanted=arrivals.wanted_claims(provider),
        )
        proofs.take(provider, identity)
    except DomainError as refusal:
        _record(pool, provider, refusal, by=by)
        return Report(refusal=refusal)
    _record(pool, provider, None, by=by)
    return report(pool, provider, identity)


def report(pool: UserPool, provider: IdentityProvider, identity: ExternalIdentity) -> Report:
    """Return what a provider's word for somebody means here; nothing is written."""
    values = profile.as_kept(pool, arrivals.mapped(provider, identity))
    problems = list(arrivals.problems(pool, identity, values))
    by_attribute = {each.field: each for each in problems if isinstance(each, Invalid) and each.field in values}
    mapping = [(name, claim) for name, claim in provider.attribute_mapping.items() if name != arrivals.USERNAME]
    mapped = [Mapped(name, claim, values.get(name, ""), by_attribute.get(name)) for name, claim in mapping]
    told = sorted((name, arrivals.text(value) or "") for name, value in identity.claims.items())[:MOST_CLAIMS]
    shown = Report(
        subject=identity.subject,
        claims=[(name, value[: arrivals.LONGEST]) for name, value in told],
        mapped=mapped,
        missing=[name for name in schema.required(pool) if not values.get(name)],
        problems=[each for each in problems if each not in by_attribute.values()],
        methods=identity.methods,
    )
    if problems:
        return shown
    arrival = arrivals.arrival(pool, provider, identity)
    return replace(shown, level=arrival.level, foreseen=joining.foresee(pool, arrival))


def _record(pool: UserPool, provider: IdentityProvider, refusal: DomainError | None, *, by: Actor) -> None:
    detail = {"provider": provider.name} if refusal is None else trips.described(provider, refusal)
    outcome = "done" if refusal is None else "refused"
    with transaction.atomic(durable=True):
        audit.record(Tag.PROVIDER_TRIED, pool=pool, subject=provider.name, by=by, outcome=outcome, detail=detail)
