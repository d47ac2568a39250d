"""Logins of OpenID providers while those are away, slow, or known no longer, and while their keys change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from federation import discovery, provider_keys, published
from identity.foundation import clock, destinations
from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable
from pools import ports
from pools.models import IdentityPool
from pools.services import access
from pools.services.identity_pools import identity_pools, logins
from tests.federation.conftest import BY, EAST, MEMBER_ROLE, Issuer, Provider, make_pool
from tests.federation.emulator import Reply, running
from tests.federation.openid_provider import CLIENT, OpenIdProvider, public, rsa_key, signed
from tests.federation.servers import Told, serving, trickle

KEYS, DISCOVERY = "/keys", "/.well-known/openid-configuration"


@pytest.fixture
def openid(settings: Settings) -> Iterator[OpenIdProvider]:
    """Return a provider that the installation trusts."""
    forget()
    found = OpenIdProvider()
    with running(found):
        settings.OPENID_PROVIDERS = {found.url: (CLIENT,)}
        yield found
    forget()


def forget() -> None:
    """Let the process have asked nobody."""
    destinations.permits.cache_clear()
    provider_keys.documents.forget_everything()
    discovery.documents.forget_everything()


def token(openid: OpenIdProvider, kid: str = "k1", **changes: Any) -> str:
    """Return an ID token."""
    now = clock.epoch()
    claims = {"iss": openid.url, "sub": "ada", "aud": CLIENT, "iat": now, "exp": now + 300, **changes}
    return signed(claims, {"alg": "RS256", "kid": kid}, rsa_key() if kid == "k1" else rsa_key(kid))


def verify(openid: OpenIdProvider, kid: str = "k1") -> ports.VerifiedLogin:
    """Return whose a token is."""
    verifier = ports.issuer_verifiers[ports.OPENID]
    return verifier.verify(token(openid, kid), issuer=openid.url, audiences=[CLIENT])


def refused(openid: OpenIdProvider, kid: str = "k1") -> DomainError:
    """Return why a token is refused."""
    with pytest.raises(DomainError) as caught:
        verify(openid, kid)
    return caught.value


def be_away(openid: OpenIdProvider) -> None:
    """Answer nothing of use."""
    for path in (KEYS, DISCOVERY):
        openid.instead[path] = lambda _: Reply(503)


def arn(openid: OpenIdProvider) -> str:
    """Return the provider's ARN."""
    return f"arn:aws:iam::000000000000:oidc-provider/{openid.url.partition('://')[2]}"


def test_known_keys_verify_while_their_provider_is_away_for_a_day_and_unknown_ones_never(
    openid: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verify(openid).subject == "ada"
    be_away(openid)
    monkeypatch.setattr(published, "FRESH", 0)

    assert verify(openid).subject == "ada"
    assert isinstance(refused(openid, "k2"), OutsideUnavailable)  # it may be a new one
    monkeypatch.setattr(published, "STALE", 0)
    assert isinstance(refused(openid), OutsideUnavailable)


def test_a_provider_is_asked_once_whoever_comes_and_for_a_new_key_now_and_then(openid: OpenIdProvider) -> None:
    for _ in range(3):
        verify(openid)
    assert (openid.count(DISCOVERY), openid.count(KEYS)) == (1, 1)

    openid.published.append(public(rsa_key("k2")))
    assert verify(openid, "k2").subject == "ada"
    for _ in range(3):
        assert refused(openid, "k3").message == "Invalid login token. Couldn't verify signed token."
    assert openid.count(KEYS) == 2


def test_what_is_somebody_elses_has_nobody_asked(openid: OpenIdProvider) -> None:
    verifier = ports.issuer_verifiers[ports.OPENID]
    for wrong in (token(openid, iss="https://issuer.example"), "garbage", "a.b.c", f"{token(openid)}.x"):
        with pytest.raises(LoginRefused):
            verifier.verify(wrong, issuer=openid.url, audiences=[CLIENT])

    assert openid.asked == []


def test_a_token_for_another_client_is_refused_by_whoever_verifies_it(openid: OpenIdProvider) -> None:
    verifier = ports.issuer_verifiers[ports.OPENID]

    with pytest.raises(LoginRefused, match="Token is not from a supported provider of this identity pool"):
        verifier.verify(token(openid), issuer=openid.url, audiences=["another"])


@pytest.mark.parametrize("jwks_uri", [None, "ftp://id.example/keys", "https://user:word@id.example/keys"])
def test_a_discovery_document_without_usable_keys_is_the_providers_fault(
    openid: OpenIdProvider, jwks_uri: str | None
) -> None:
    openid.discovery["jwks_uri"] = jwks_uri

    assert isinstance(refused(openid), OutsideUnavailable)


def test_a_discovery_document_of_another_issuer_is_not_believed(openid: OpenIdProvider) -> None:
    openid.discovery["issuer"] = "https://issuer.example"

    assert isinstance(refused(openid), OutsideUnavailable)


@pytest.mark.usefixtures("transactional_db")
def test_all_providers_of_a_call_run_by_one_clock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    monkeypatch.setattr(logins, "PATIENCE", 0.3)
    with serving(Told(instead=trickle)) as one, serving(Told(instead=trickle)) as two:
        settings.OPENID_PROVIDERS = {one.url: (CLIENT,), two.url: (CLIENT,)}
        names = [each.url.partition("://")[2] for each in (one, two)]
        arns = [f"arn:aws:iam::000000000000:oidc-provider/{name}" for name in names]
        pool = identity_pools.create("p", settings={"open_id_connect_provider_arns": arns}, by=BY)
        given = {name: signed({"iss": f"http://{name}"}, {"alg": "RS256"}, rsa_key()) for name in names}
        began = clock.monotonic()

        with pytest.raises(OutsideUnavailable):
            identity_pools.get_id(pool, given, by=BY)

        assert clock.monotonic() - began < 2
    forget()


@pytest.mark.parametrize("by_arn", [True, False])
def test_a_provider_that_is_trusted_no_longer_lets_nobody_in_and_bars_nobody_else(
    openid: OpenIdProvider,
    providers: dict[str, Provider],
    issuer: Issuer,
    settings: Settings,
    *,
    by_arn: bool,
) -> None:
    name = openid.url.partition("://")[2]
    pool = make_pool(open_id_connect_provider_arns=[arn(openid)])
    rules = [{"claim": "sub", "match_type": "Equals", "value": "x", "role_arn": "arn:aws:iam:::role/Admin"}]
    mapping = {"type": "Rules", "ambiguous_role_resolution": "Deny", "rules_configuration": {"rules": rules}}
    key = arn(openid) if by_arn else name
    identity_pools.set_roles(pool, roles={"authenticated": MEMBER_ROLE}, mappings={key: mapping}, by=BY)
    ours, theirs = {EAST: providers[EAST].token("anna")}, {name: token(openid)}
    assert identity_of(pool, theirs)

    settings.OPENID_PROVIDERS = {}

    with pytest.raises(LoginRefused, match="Token is not from a supported provider of this identity pool"):
        identity_of(pool, theirs)
    identity_pools.credentials(identity_of(pool, ours), ours, by=BY)
    assert issuer.last["role_arn"] == MEMBER_ROLE
    assert identity_pools.roles(access.identity_pool(pool.public_id))["role_mappings"] == {key: mapping}


def identity_of(pool: IdentityPool, given: dict[str, str]) -> str:
    """Return the identity that these logins mean."""
    return identity_pools.get_id(access.identity_pool(pool.public_id), given, by=BY)
