"""Endpoints that are not given are what the issuer tells of itself, if it does, and if that can be right."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from federation import discovery
from identity.foundation import destinations
from identity.foundation.errors import Invalid
from pools import ports
from tests.federation.servers import Told, serving
from tests.federation.test_details import MANUAL, OIDC


@pytest.fixture(autouse=True)
def in_production(settings: Settings) -> Iterator[None]:
    """Allow nothing that only development allows, and hold nothing of earlier tests."""
    settings.INSECURE_PROVIDERS = False
    destinations.permits.cache_clear()
    discovery.documents.forget_everything()
    yield
    destinations.permits.cache_clear()
    discovery.documents.forget_everything()


def refusal(kind: str, details: dict[str, str]) -> Invalid:
    """Return why a provider's details are refused."""
    with pytest.raises(Invalid) as caught:
        ports.provider_kinds[kind].check_details(details)
    return caught.value


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Told]:
    """Return an issuer on loopback that tells of itself."""
    settings.INSECURE_PROVIDERS = True
    with serving(Told()) as told:
        publish(told)
        yield told


def publish(told: Told, **changes: object) -> None:
    """Have an issuer tell of itself; what is None is left out."""
    document = {
        "issuer": told.url,
        "authorization_endpoint": f"{told.url}/authorize",
        "token_endpoint": f"{told.url}/token",
        "userinfo_endpoint": f"{told.url}/me",
        "jwks_uri": f"{told.url}/keys",
        **changes,
    }
    told.body = json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def discovered(told: Told, **given: str) -> dict[str, str]:
    """Return the details that an issuer's document completes."""
    return dict(ports.provider_kinds["OIDC"].check_details({**OIDC, "oidc_issuer": told.url, **given}))


def test_endpoints_are_what_the_issuer_tells_unless_they_are_given(issuer: Told) -> None:
    completed = discovered(issuer, token_url="https://mine.example/token")

    assert issuer.paths == ["/.well-known/openid-configuration"]
    assert completed["authorize_url"] == f"{issuer.url}/authorize"
    assert completed["attributes_url"] == f"{issuer.url}/me"
    assert completed["jwks_uri"] == f"{issuer.url}/keys"
    assert completed["token_url"] == "https://mine.example/token"


def test_an_issuer_with_a_path_is_asked_beneath_it(issuer: Told) -> None:
    publish(issuer, issuer=f"{issuer.url}/realms/a/")

    discovered(issuer, oidc_issuer=f"{issuer.url}/realms/a/")

    assert issuer.paths == ["/realms/a/.well-known/openid-configuration"]


def test_a_provider_may_have_no_userinfo(issuer: Told) -> None:
    publish(issuer, userinfo_endpoint=None)

    assert "attributes_url" not in discovered(issuer)


def test_one_slash_more_in_what_the_issuer_calls_itself_is_no_other_issuer(issuer: Told) -> None:
    publish(issuer, issuer=f"{issuer.url}/")

    assert discovered(issuer)["oidc_issuer"] == issuer.url


@pytest.mark.parametrize(
    ("changes", "body", "status"),
    [
        ({"issuer": "https://elsewhere.example"}, None, 200),
        ({"issuer": None}, None, 200),
        ({"issuer": ["x"]}, None, 200),
        ({"token_endpoint": "javascript:alert(1)"}, None, 200),
        ({"jwks_uri": 7}, None, 200),
        ({}, b"[]", 200),
        ({}, b"nonsense", 200),
        ({}, b"\xff\xfe", 200),
        ({}, b"[" * 100_000, 200),
        ({}, b'{"issuer": "' + b"x" * (2 << 20), 200),
        ({}, None, 404),
        ({}, None, 500),
        ({}, None, 302),
    ],
    ids=str,
)
def test_an_issuer_that_does_not_tell_of_itself_is_refused_in_amazons_words(
    issuer: Told, changes: dict[str, object], body: bytes | None, status: int
) -> None:
    publish(issuer, **changes)
    issuer.body, issuer.status = issuer.body if body is None else body, status

    refused = refusal("OIDC", {**OIDC, "oidc_issuer": issuer.url})

    assert (refused.message, refused.code) == ("Unable to contact well-known endpoint", "no_discovery")
    assert len(issuer.paths) == 1


def test_an_issuer_without_a_needed_endpoint_is_refused_by_the_endpoints_name(issuer: Told) -> None:
    publish(issuer, token_endpoint=None)

    refused = refusal("OIDC", {**OIDC, "oidc_issuer": issuer.url})

    assert (refused.code, refused.field) == ("not_discovered", "provider_details.token_url")


def test_who_gives_every_endpoint_asks_nobody(issuer: Told) -> None:
    issuer.status = 404

    assert discovered(issuer, **MANUAL)["jwks_uri"] == MANUAL["jwks_uri"]
    assert issuer.paths == []


def test_what_discovery_fails_to_tell_may_be_given_all_but_userinfo(issuer: Told) -> None:
    issuer.status = 404
    given = {key: url for key, url in MANUAL.items() if key != "attributes_url"}

    assert "attributes_url" not in discovered(issuer, **given)


def test_an_issuer_at_a_private_address_is_not_asked_unless_that_is_allowed(issuer: Told, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE = False

    assert refusal("OIDC", {**OIDC, "oidc_issuer": issuer.url}).code == "no_discovery"
    assert issuer.paths == []
