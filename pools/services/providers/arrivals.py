"""What a provider says of somebody who came from it, as attributes of the pool. Reads and writes no row.

Whom of ours it means is ``joining``'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from identity.foundation.errors import DomainError, Invalid, refuse
from pools.models import IdentityProvider, UserPool
from pools.ports import ExternalIdentity
from pools.services.people import attributes
from pools.services.pools import schema

LONGEST = 2048
"""Characters of an attribute's value, and of a subject."""
USERNAME = "username"
"""What every mapping names and nobody is given: the account's name is made of provider and subject."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whom a provider vouches for."""

    provider: str
    """The provider's name in the pool."""
    subject: str = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Attributes of the pool, by the provider's mapping."""
    methods: tuple[str, ...] = ()
    """How they proved it there, in words of RFC 8176."""
    level: int = 1
    """Which of the pool's levels of assurance the provider's word stands for."""
    authenticated_at: datetime | None = None
    session: str = ""
    """The id of what is kept of the session there; empty where nothing is."""

    @property
    def proven_email(self) -> str:
        """Return the address that the provider has verified; empty where it says so of none."""
        return self.values.get("email", "") if self.values.get("email_verified") == "true" else ""

    def to_text(self) -> str:
        """Return it as it is kept, sealed, while somebody is asked for more."""
        seconds = self.authenticated_at.timestamp() if self.authenticated_at else None
        return json.dumps(
            [self.provider, self.subject, dict(self.values), list(self.methods), self.level, seconds, self.session],
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, kept: str) -> Arrival:
        """Return what :meth:`to_text` kept."""
        # A process of the release before, while both run, keeps none of what stands behind.
        provider, subject, values, methods, level, seconds, *more = json.loads(kept)
        when = datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
        return cls(provider, subject, values, tuple(methods), level, when, *more)


def arrival(pool: UserPool, provider: IdentityProvider, identity: ExternalIdentity) -> Arrival:
    """Return who came, by the provider's mapping of its claims to the pool's attributes.

    An address of which no mapping says that it was verified is not. A claim that is missing leaves its attribute as
    it is. AWS: Specifying identity provider attribute mappings for your user pool.

    Raises:
        Invalid: a value is too long, or does not fit the pool's schema.

    """
    values = mapped(provider, identity)
    refuse(problems(pool, identity, values))
    levels = {word: int(level.removeprefix("Level")) for level, word in provider.acr_mapping.items()}
    return Arrival(
        provider.name,
        identity.subject,
        values,
        identity.methods,
        levels.get(identity.acr, 1),
        identity.authenticated_at,
    )


def mapped(provider: IdentityProvider, identity: ExternalIdentity) -> dict[str, str]:
    """Return attributes of the pool by the provider's mapping, whatever the pool's schema says of their values."""
    values: dict[str, str] = {}
    for name, claim in provider.attribute_mapping.items():
        if name != USERNAME and (value := text(identity.claims.get(claim))) is not None:
            values[name] = value
    for address in ("email", "phone_number"):
        flag = f"{address}_verified"
        if address in values and flag not in values:
            values[flag] = "false"
        elif flag in values:
            values[flag] = "true" if values[flag].lower() == "true" and address in values else "false"
            if address not in values:
                del values[flag]
    return values


def problems(pool: UserPool, identity: ExternalIdentity, values: Mapping[str, str]) -> Iterator[DomainError]:
    """Yield what is wrong with who came, and with each attribute that the provider gives."""
    if not identity.subject or len(identity.subject) > LONGEST:
        yield Invalid("The identity provider's subject is empty or too long.", field="subject", code="subject")
    short = {name: value for name, value in values.items() if len(value) <= LONGEST}
    for name in values.keys() - short.keys():
        yield Invalid(f"{name}: The identity provider's value is too long.", field=name, code="too_long")
    yield from attributes.problems(pool, short)


def wanted_claims(provider: IdentityProvider) -> list[str]:
    """Return the provider's claims that its mapping has a use for."""
    return sorted({claim for name, claim in provider.attribute_mapping.items() if name != USERNAME})


def missing(pool: UserPool, arrival: Arrival) -> list[str]:
    """Return the attributes that the pool wants of each person and the provider does not give."""
    return [name for name in schema.required(pool) if not arrival.values.get(name)]


def text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return a claim as an attribute holds it; None for one that is absent."""
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case list():
            return f"[{','.join(filter(None, map(text, value)))}]"
        case dict():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)
