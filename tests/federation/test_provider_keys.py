"""A provider's keys and documents, as a process holds them."""

from __future__ import annotations

from typing import Any

import pytest

from identity.foundation.errors import OutsideUnavailable
from tests.federation.emulator import Reply, replied, told
from tests.federation.openid_provider import (
    SUBJECT,
    OpenIdProvider,
    ec_key,
    public,
    rsa_key,
)
from tests.federation.openid_trip import Trip, forget


def test_keys_and_discovery_are_read_once_for_many_trips(provider: OpenIdProvider) -> None:
    for _ in range(3):
        Trip(provider).finish()

    assert provider.count("/keys") == 1
    assert provider.count("/.well-known/openid-configuration") == 3 + 1  # once for each look at its details


def test_a_new_key_is_found_at_once_and_unknown_ones_do_not_have_the_provider_asked_again_and_again(
    provider: OpenIdProvider,
) -> None:
    Trip(provider).finish()
    provider.key, provider.header = rsa_key("k2"), {"alg": "RS256", "kid": "k2"}
    provider.published.append(public(rsa_key("k2")))
    assert Trip(provider).finish().subject == SUBJECT
    assert provider.count("/keys") == 2

    provider.header = {"alg": "RS256", "kid": "nobody's"}
    for _ in range(5):
        assert Trip(provider).refused().detail == "id token: no key of its kid for its alg"

    assert provider.count("/keys") == 2


def test_after_a_while_an_unknown_key_is_looked_for_again(
    provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.published.FORCED", 0)
    Trip(provider).finish()
    provider.header = {"alg": "RS256", "kid": "nobody's"}

    Trip(provider).refused()
    Trip(provider).refused()

    assert provider.count("/keys") == 3


def test_old_keys_are_used_while_the_provider_does_not_tell_them(
    provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    trip = Trip(provider)
    trip.finish()
    monkeypatch.setattr("federation.published.FRESH", 0)
    provider.instead["/keys"] = provider.instead["/.well-known/openid-configuration"] = replied(Reply(503))

    for _ in range(3):
        assert trip.go().finish().subject == SUBJECT

    assert provider.count("/keys") == 2

    monkeypatch.setattr("federation.published.STALE", 0)
    assert isinstance(trip.go().refused(), OutsideUnavailable)


def test_a_promise_to_name_itself_is_remembered_while_the_provider_is_away(
    provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": True}
    trip = Trip(provider)
    monkeypatch.setattr("federation.published.FRESH", 0)
    provider.instead["/.well-known/openid-configuration"] = replied(Reply(503))

    assert trip.go().refused().detail == "answer: no iss, which discovery promises"


RSA = {"kty": "RSA", "kid": "k1", "e": "AQAB", "n": rsa_key().as_dict(private=False)["n"]}
USELESS: dict[str, list[Any]] = {
    "no objects": [7, None, "x", {}],
    "a secret": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}],
    "a new kind": [{"kty": "new", "kid": "k1"}],
    "weak": [{**RSA, "n": str(RSA["n"])[:170]}],
    "not base64": [{**RSA, "n": "!"}],
    "a number": [{**RSA, "n": 7}],
    "huge": [{**RSA, "n": "A" * 20_000}],
    "no exponent": [{**RSA, "e": ""}],
    "exponent 1": [{**RSA, "e": "AQ"}],
    "for encryption": [public(rsa_key(), use="enc")],
    "for RS512": [public(rsa_key(), alg="RS512")],
    "for HS256": [public(rsa_key(), alg="HS256")],
    "kid is a number": [public(rsa_key(), kid=7)],
    "no point of its curve": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k1"}],
    "another curve": [{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1"}],
    "no curve": [{"kty": "EC", "kid": "k1"}],
    "other kinds": [public(ec_key(), kid="k1"), public(rsa_key("stranger"), kid="stranger")],
}
USEFUL: dict[str, list[Any]] = {
    "beside one of another kind": [public(ec_key(), kid="k1"), public(rsa_key())],
    "beside one of the same kid": [public(rsa_key("stranger"), kid="k1"), public(rsa_key())],
    "beside useless ones": [*(key for keys in USELESS.values() for key in keys), public(rsa_key())],
    "for RS256 alone": [public(rsa_key(), use=None, alg="RS256")],
    "with its private half": [rsa_key().as_dict(private=True)],
}


@pytest.mark.parametrize("name", USEFUL)
def test_a_key_is_found_among_what_a_provider_publishes(provider: OpenIdProvider, name: str) -> None:
    provider.published = USEFUL[name]

    assert Trip(provider).finish().subject == SUBJECT


@pytest.mark.parametrize("name", USELESS)
def test_of_what_a_provider_publishes_only_real_keys_count(provider: OpenIdProvider, name: str) -> None:
    provider.published = USELESS[name]

    assert Trip(provider).refused().detail == "id token: no key of its kid for its alg"


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": None}])
def test_a_document_without_keys_is_none(provider: OpenIdProvider, document: dict[str, Any]) -> None:
    provider.instead["/keys"] = lambda asked: told(document)

    refused = Trip(provider).refused()

    assert (type(refused), refused.detail) == (OutsideUnavailable, f"{provider.url}/keys has no keys")


def test_without_a_kid_one_key_is_enough_and_several_are_too_many(provider: OpenIdProvider) -> None:
    provider.header = {"alg": "RS256"}
    provider.published = [public(rsa_key()), public(ec_key())]
    assert Trip(provider).finish().subject == SUBJECT

    forget()
    provider.published = [public(rsa_key()), public(rsa_key("k2"))]
    assert Trip(provider).refused().detail == "id token: no kid among several keys"
