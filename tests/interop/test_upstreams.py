"""Signing in at OpenID providers that others wrote: panva's oidc-provider with its own pages, and oauth2-mock-server.

Both run in Node, from ``tests/interop/node/package-lock.json``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable
from pools import ports
from pools.ports import LoginDenied, UpstreamWishes
from tests.interop import programs
from tests.interop.upstreams import CALLBACK, SECRET, Trip

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

ADA = {"login": "ada", "password": "any"}


@pytest.fixture(scope="module")
def openid_provider() -> Iterator[str]:
    """Run panva's provider."""
    with programs.in_node("openid_provider.mjs", secret=SECRET, callback=CALLBACK) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def mock_server() -> Iterator[str]:
    """Run the one that forges."""
    with programs.in_node("mock_server.mjs") as issuer:
        yield issuer


# -- oidc-provider ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES256"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_signs_in_by_its_pages_comes_back(openid_provider: str, alg: str, method: str) -> None:
    trip = Trip(openid_provider, alg, attributes_request_method=method).go(ADA)

    found = trip.finish()

    assert trip.answer["iss"] == openid_provider
    assert trip.redirect.kept["tells_issuer"] == "yes"
    assert len(trip.seen) == 2
    assert found.subject == "ada"
    assert (found.claims["email"], found.claims["email_verified"]) == ("ada@id.example", True)
    assert found.claims["name"] == "ada of interop"


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES256"])
def test_its_id_token_is_a_login(openid_provider: str, alg: str) -> None:
    found = Trip(openid_provider, alg).go(ADA).login()

    assert (found.provider, found.subject, found.audience) == (openid_provider.partition("://")[2], "ada", alg)


def test_a_client_without_a_secret_comes_back_by_its_verifier(openid_provider: str) -> None:
    assert Trip(openid_provider, "public", client_secret="").go(ADA).finish().subject == "ada"


def test_what_is_wished_for_reaches_its_pages(openid_provider: str) -> None:
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login consent", acr_values="urn:example:gold")

    trip = Trip(openid_provider, "RS256").go(ADA, wishes=wishes)

    assert 'value="ada@id.example"' in trip.seen[0]
    assert "urn:example:gold" in trip.seen[0]
    assert trip.finish().subject == "ada"


def test_who_turns_back_is_told_apart(openid_provider: str) -> None:
    refused = Trip(openid_provider, "RS256").go({}, aborts=True).refused()

    assert isinstance(refused, LoginDenied)
    assert refused.parameters["error"] == "access_denied"


def test_an_answer_without_its_name_is_refused(openid_provider: str) -> None:
    trip = Trip(openid_provider, "RS256").go(ADA)
    del trip.answer["iss"]

    assert trip.refused().detail == "answer: no iss, which discovery promises"


def test_a_code_works_once_for_whoever_has_the_secret_and_the_verifier(openid_provider: str) -> None:
    wrong_secret = Trip(openid_provider, "RS256", client_secret="another secret of as many characters").go(ADA)
    assert wrong_secret.refused().parameters["error"] == "invalid_client"

    mixed, other = Trip(openid_provider, "RS256").go(ADA), Trip(openid_provider, "RS256").go(ADA)
    mixed.answer = other.answer
    assert mixed.refused().parameters["error"] == "invalid_grant"

    twice = Trip(openid_provider, "RS256").go(ADA)
    twice.finish()
    assert twice.refused().parameters["error"] == "invalid_grant"


# -- oauth2-mock-server ----------------------------------------------------------------------------------------------


def test_whom_the_mock_server_approves_comes_back(mock_server: str) -> None:
    assert Trip(mock_server, "honest").go({}).finish().subject == "johndoe"


@pytest.mark.parametrize(
    ("forgery", "kind", "detail"),
    [
        ("aud", LoginRefused, "id token: aud is somebody else"),
        ("azp", LoginRefused, "id token: azp is somebody else"),
        ("iss", LoginRefused, "id token: iss is another issuer"),
        ("nonce", LoginRefused, "id token: nonce is another trip's"),
        ("expired", LoginRefused, "id token: exp is past"),
        ("future", LoginRefused, "id token: iat is to come"),
        ("sub", LoginRefused, "id token: sub is missing"),
        ("at_hash", LoginRefused, "id token: at_hash is another access token's"),
        ("kid", LoginRefused, "id token: no key of its kid for its alg"),
        ("none", LoginRefused, "id token: none in the token response"),
        ("userinfo", LoginRefused, "userinfo: sub is somebody else"),
        ("denied", LoginRefused, "the provider says invalid_grant"),
        ("down", OutsideUnavailable, "token endpoint: answers 503"),
    ],
)
def test_what_the_mock_server_forges_is_refused_by_name(
    mock_server: str, forgery: str, kind: type[DomainError], detail: str
) -> None:
    refused = Trip(mock_server, forgery).go({}).refused()

    assert (type(refused), refused.detail) == (kind, detail)


def test_whom_the_mock_server_approves_has_a_login(mock_server: str) -> None:
    assert Trip(mock_server, "honest").go({}).login().subject == "johndoe"


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        ("aud", ports.OTHER_APPLICATION),
        ("azp", ports.OTHER_APPLICATION),
        ("iss", ports.OTHER_ISSUER),
        ("expired", "Invalid login token. Token expired: "),
        ("future", "Invalid login token."),
        ("sub", "Invalid login token. Missing a required claim: sub"),
        ("kid", ports.NOT_SIGNED),
    ],
)
def test_what_the_mock_server_forges_is_no_login(mock_server: str, forgery: str, said: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        Trip(mock_server, forgery).go({}).login()

    assert caught.value.message.startswith(said) if forgery == "expired" else caught.value.message == said
