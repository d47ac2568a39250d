"""Logins of two made-up providers with real keys, an issuer of credentials that remembers, and identity pools."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, LoginRefused
from pools import ports
from pools.models import IdentityPool
from pools.ports import Credentials, VerifiedLogin
from pools.services import access, configuration
from pools.services.identity_pools import identity_pools
from pools.services.pools import signing_keys
from tests.federation.gateways import aws, moto, sts
from tests.federation.openid_trip import provider
from tests.federation.social_trip import social

__all__ = ["aws", "moto", "provider", "social", "sts"]
BY = Actor.visitor(address="192.0.2.7")
EAST, WEST = "east.example.test", "west.example.test"
APP = "the-app"
MEMBER_ROLE = "arn:aws:iam:::role/Member"
GUEST_ROLE = "arn:aws:iam:::role/Guest"


class Provider:
    """A provider of logins, and its verifier."""

    def __init__(self, name: str) -> None:
        """Make its key."""
        self.name = name
        self.key = RSAKey.generate_key(2048)

    def token(self, subject: str, *, audience: str = APP, **claims: Any) -> str:
        """Return a token about someone."""
        payload = {"sub": subject, "aud": audience, "exp": clock.epoch() + 600, **claims}
        return jwt.encode({"alg": "RS256"}, payload, self.key)

    def verify(self, token: str, *, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token of this provider is about."""
        try:
            claims = jwt.decode(token, self.key).claims
        except (JoseError, ValueError) as problem:
            raise LoginRefused("Invalid login token. Couldn't verify signed token.") from problem
        if claims["aud"] not in audiences:
            raise LoginRefused("Token is not from a supported provider of this identity pool.")
        return VerifiedLogin(self.name, claims["sub"], claims["aud"], claims)


@dataclass
class Issuer:
    """An issuer of credentials that remembers what it was asked, and refuses when told to."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[DomainError] = field(default_factory=list)

    def issue(self, **asked: Any) -> Credentials:
        """Remember; refuse or give."""
        self.asked.append({**asked, "claims": signing_keys.unverified_claims(asked["token"])})
        if self.refusals:
            raise self.refusals.pop(0)
        return Credentials("ASIAKEY", "secret", "session", clock.now() + timedelta(hours=1))

    @property
    def last(self) -> dict[str, Any]:
        """Return what was asked last."""
        return self.asked[-1]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Start each test with nothing held: rows of the last one are gone."""
    configuration.cache.forget_everything()


@pytest.fixture(scope="session")
def keys() -> dict[str, Provider]:
    """Return both providers."""
    return {name: Provider(name) for name in (EAST, WEST)}


@pytest.fixture
def providers(keys: dict[str, Provider]) -> Iterator[dict[str, Provider]]:
    """Register both providers' verifiers."""
    for name, verifier in keys.items():
        ports.login_verifiers.register(name, verifier)
    yield keys
    for name in keys:
        ports.login_verifiers.withdraw(name)


@pytest.fixture
def issuer(transactional_db: None) -> Iterator[Issuer]:
    """Let credentials come from an issuer that remembers."""
    signing_keys.ensure_installation_keys()
    before = ports.credential_issuers[ports.STS]
    ports.credential_issuers.withdraw(ports.STS)
    found = Issuer()
    ports.credential_issuers.register(ports.STS, found)
    yield found
    ports.credential_issuers.withdraw(ports.STS)
    ports.credential_issuers.register(ports.STS, before)


@pytest.fixture
def pool(transactional_db: None, providers: dict[str, Provider]) -> IdentityPool:
    """Return an identity pool with both providers, guests, the classic flow, and a role for each kind of caller."""
    return make_pool()


def make_pool(**changes: Any) -> IdentityPool:
    """Make an identity pool."""
    settings: Mapping[str, Any] = {
        "allow_unauthenticated_identities": True,
        "allow_classic_flow": True,
        "supported_login_providers": {EAST: APP, WEST: APP},
        **changes,
    }
    made = identity_pools.create("pool", settings=settings, by=BY)
    roles = {"authenticated": MEMBER_ROLE, "unauthenticated": GUEST_ROLE}
    identity_pools.set_roles(made, roles=roles, mappings=None, by=BY)
    return access.identity_pool(made.public_id)
