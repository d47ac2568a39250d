"""ID tokens: every right one is taken, and each check refuses alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from joserfc.jwk import ECKey, RSAKey

from federation import provider_keys
from identity.foundation import clock
from identity.foundation.errors import LoginRefused
from pools.ports import UpstreamRedirect
from tests.federation.openid_provider import (
    ACCESS,
    CLIENT,
    SECRET,
    SUBJECT,
    OpenIdProvider,
    ec_key,
    half_hash,
    public,
    rsa_key,
    signed,
)
from tests.federation.openid_trip import Trip


@pytest.mark.parametrize("alg", provider_keys.ALGORITHMS)
@pytest.mark.parametrize("with_hash", [True, False])
def test_an_id_token_may_be_signed_by_any_asymmetric_algorithm(
    provider: OpenIdProvider, alg: str, with_hash: bool
) -> None:
    provider.key = ec_key(alg) if alg in provider_keys.CURVES else rsa_key()
    provider.published, provider.header = [public(provider.key)], {"alg": alg, "kid": str(provider.key.kid)}
    provider.claims = {"at_hash": half_hash(ACCESS, int(alg[2:]))} if with_hash else {}

    assert Trip(provider).finish().subject == SUBJECT


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({"aud": [CLIENT]}, {}),
        ({"aud": CLIENT, "azp": CLIENT}, {}),
        ({"aud": ["other", CLIENT], "azp": CLIENT}, {}),
        ({"exp": 30}, {}),
        ({"iat": 30}, {}),
        ({"nbf": 30}, {}),
        ({"exp": 100.5}, {}),
        ({"sub": "x" * 255}, {}),
        ({}, {"typ": "JWT"}),
        ({}, {"x5t": "abc", "odd": "y"}),
        ({}, {"kid": None}),
    ],
    ids=str,
)
def test_what_is_unusual_and_right_is_taken(
    provider: OpenIdProvider, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    moments = {"exp": -30, "iat": 30, "nbf": 30}
    provider.claims = {
        name: clock.epoch() + (moments[name] if isinstance(value, int) else value) if name in moments else value
        for name, value in claims.items()
    }
    provider.person = {"sub": claims.get("sub", SUBJECT)}
    provider.header = {name: value for name, value in {**provider.header, **header}.items() if value is not None}

    Trip(provider).finish()


# -- each check, broken alone ----------------------------------------------------------------------------------------


def alg_none(claims: dict[str, Any]) -> str:
    """Return a token without a signature."""
    return ".".join(segment(json.dumps(part)) for part in ({"alg": "none", "kid": "k1"}, claims)) + "."


def by_public_key(claims: dict[str, Any]) -> str:
    """Return a token with the provider's public key taken for a secret."""
    return by_secret(claims, rsa_key().as_pem(private=False))


def by_our_secret(claims: dict[str, Any]) -> str:
    """Return a token signed by the secret that the provider shares with us."""
    return by_secret(claims, SECRET.encode())


def by_secret(claims: dict[str, Any], secret: bytes) -> str:
    """Return a token by HMAC."""
    covered = ".".join(segment(json.dumps(part)) for part in ({"alg": "HS256", "kid": "k1"}, claims))
    digest = hmac.new(secret, covered.encode(), hashlib.sha256).digest()
    return f"{covered}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def by(key: RSAKey | ECKey, **header: Any) -> Callable[[dict[str, Any]], str]:
    """Return what signs claims by a key, under a header."""
    return lambda claims: signed(claims, {"alg": "RS256", "kid": "k1", **header}, key)


def text(token: object) -> Callable[[dict[str, Any]], Any]:
    """Return what takes something for a token."""
    return lambda claims: token


def edited(claims: dict[str, Any]) -> str:
    """Return a token whose claims were changed after it was signed."""
    head, _, signature = signed(claims, {"alg": "RS256", "kid": "k1"}, rsa_key()).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "somebody-else"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def segment(text: str) -> str:
    """Return a text as a segment of a token."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "alg none": (alg_none, "alg is not allowed"),
    "HS256 with the public key": (by_public_key, "alg is not allowed"),
    "HS256 with our secret": (by_our_secret, "alg is not allowed"),
    "a stranger's key under our kid": (by(rsa_key("stranger")), "the signature is wrong"),
    "a stranger's key": (by(rsa_key("stranger"), kid="stranger"), "no key of its kid for its alg"),
    "a stranger's key in the header": (
        by(rsa_key("stranger"), jwk=public(rsa_key("stranger"))),
        "the signature is wrong",
    ),
    "kid of a key of another kind": (by(ec_key(), alg="ES256"), "no key of its kid for its alg"),
    "kid is no text": (by(rsa_key(), kid=["k1"]), "a header is not of its kind"),
    "crit": (by(rsa_key(), crit=["odd"], odd="y"), "crit is not understood"),
    "b64": (by(rsa_key(), b64=True), "crit is not understood"),
    "edited": (edited, "the signature is wrong"),
    "claims are a list": (lambda claims: signed(b"[]", {"alg": "RS256", "kid": "k1"}, rsa_key()), "no JSON object"),
    "claims are nonsense": (lambda claims: signed(b"\xff", {"alg": "RS256", "kid": "k1"}, rsa_key()), "no JSON object"),
    "half a character": (
        lambda claims: signed({**claims, "nonce": "\ud800"}, {"alg": "RS256", "kid": "k1"}, rsa_key()),
        "no JSON object",
    ),
    "character 0": (
        lambda claims: signed({**claims, "name": "A\0da"}, {"alg": "RS256", "kid": "k1"}, rsa_key()),
        "no JSON object",
    ),
    "claims are deep": (
        lambda claims: signed(b"[" * 30_000, {"alg": "RS256", "kid": "k1"}, rsa_key()),
        "no JSON object",
    ),
    "encrypted": (text("a.b.c.d.e"), "not a signed token"),
    "nonsense": (text("nonsense"), "not a signed token"),
    "dots": (text(".."), "not a signed token"),
    "header is a text": (text(f"{segment(chr(34) + 'alg' + chr(34))}.e30.AAAA"), "not a signed token"),
    "header is a list": (text(f"{segment('[' + chr(34) + 'alg' + chr(34) + ']')}.e30.AAAA"), "not a signed token"),
    "header is a number": (text(f"{segment('7')}.e30.AAAA"), "not a signed token"),
    "alg is a list": (text(f"{segment(json.dumps({'alg': ['RS256']}))}.e30.AAAA"), "alg is not allowed"),
    "typ is a number": (by(rsa_key(), typ=7), "a header is not of its kind"),
    "alg is missing": (text(f"{segment('{}')}.e30.AAAA"), "not a signed token"),
    "too long": (lambda claims: signed({**claims, "x": "x" * 70_000}, {"alg": "RS256"}, rsa_key()), "too long"),
    "no text": (text({"sub": SUBJECT}), "no text"),
    "beyond ASCII": (text("\u00e9.e30.AAAA"), "no text"),
    "empty": (text(""), "none in the token response"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_id_token_is_refused(provider: OpenIdProvider, name: str) -> None:
    provider.forge, check = FORGERIES[name]

    refused = Trip(provider).refused()

    assert isinstance(refused, LoginRefused)
    assert refused.detail.startswith("id token: ")
    assert check in refused.detail
    assert provider.count("/me") == 0


NOW = "now"
"""Stands for the present moment in the table below."""
WRONG: list[tuple[str, Any, str]] = [
    *(("iss", value, "iss is another issuer") for value in (None, "https://elsewhere.example", ["x"], "", 7)),
    *(
        ("aud", value, "aud is somebody else")
        for value in (None, "somebody", ["somebody"], [], {CLIENT: 1}, CLIENT[:-1])
    ),
    ("aud", [CLIENT, "somebody"], "azp is missing beside several aud"),
    *(("azp", value, "azp is somebody else") for value in ("somebody", [CLIENT], "")),
    *(("exp", value, "exp is missing") for value in (None, "soon", True, [1], 10**400)),
    *(("exp", (NOW, ago), "exp is past") for ago in (-61, -3600)),
    *(("iat", value, "iat is missing") for value in (None, "now", False)),
    *(("iat", (NOW, ahead), "iat is to come") for ahead in (65, 3600)),
    *(("nbf", value, "nbf is to come") for value in ((NOW, 65), "now", True)),
    *(("sub", value, "sub is missing") for value in (None, "", 7, ["x"], "x" * 256, "a\nb")),
    *(("nonce", value, "nonce is another trip's") for value in (None, "", "other", 7, "\u00e9")),
    *(("at_hash", value, "at_hash is another access token's") for value in ("", half_hash("other"), 7)),
    ("at_hash", half_hash(ACCESS, 512), "at_hash is another access token's"),
]


@pytest.mark.parametrize(("claim", "value", "check"), WRONG, ids=[f"{name}={value}"[:40] for name, value, _ in WRONG])
def test_a_claim_that_is_wrong_alone_is_refused(
    provider: OpenIdProvider, claim: str, value: object, check: str
) -> None:
    if isinstance(value, tuple):
        value = clock.epoch() + value[1]
    provider.claims = {claim: value}

    refused = Trip(provider).refused()

    assert isinstance(refused, LoginRefused)
    assert refused.detail == f"id token: {check}"
    assert provider.count("/me") == 0


@pytest.mark.parametrize("infinite", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_a_moment_is_a_finite_number(provider: OpenIdProvider, infinite: str) -> None:
    def forge(claims: dict[str, Any]) -> str:
        body = json.dumps({**claims, "exp": "the-end"}).replace('"the-end"', infinite)
        return signed(body.encode(), {"alg": "RS256", "kid": "k1"}, rsa_key())

    provider.forge = forge

    assert Trip(provider).refused().detail == "id token: exp is missing"


@pytest.mark.parametrize("moment", ["soon", True, 1e300, 10**400, -1e18, None])
def test_a_sign_in_whose_moment_is_none_has_none(provider: OpenIdProvider, moment: object) -> None:
    provider.claims = {"auth_time": moment, "amr": "pwd", "acr": ["gold"]}

    found = Trip(provider).finish()

    assert (found.authenticated_at, found.methods, found.acr) == (None, (), "")


def test_a_trip_ends_when_its_id_token_has_expired(provider: OpenIdProvider) -> None:
    trip = Trip(provider)
    provider.claims = {"exp": clock.epoch() + 300, "iat": clock.epoch()}

    with time_machine.travel(clock.epoch() + 361, tick=False):
        assert trip.refused().detail == "id token: exp is past"


def test_an_id_token_of_one_trip_is_none_of_another(provider: OpenIdProvider) -> None:
    first, second = Trip(provider), Trip(provider)

    mixed = Trip(provider)
    mixed.redirect = UpstreamRedirect(
        first.redirect.url, {**first.redirect.kept, "verifier": second.redirect.kept["verifier"]}
    )
    mixed.answer = second.answer

    assert mixed.refused().detail == "id token: nonce is another trip's"
    assert first.finish().subject == SUBJECT


def test_a_trip_of_which_nothing_was_kept_ends_nowhere(provider: OpenIdProvider) -> None:
    provider.claims = {"nonce": ""}
    trip = Trip(provider)
    trip.redirect = UpstreamRedirect(trip.redirect.url, {"verifier": trip.redirect.kept["verifier"]})

    assert trip.refused().detail == "id token: nonce is another trip's"


def test_a_code_is_not_redeemed_without_the_verifier_of_its_trip(provider: OpenIdProvider) -> None:
    first, second = Trip(provider), Trip(provider)
    second.answer = first.answer

    second.refused()

    assert provider.complaints == ["/token: another trip's verifier"]
    provider.complaints.clear()
