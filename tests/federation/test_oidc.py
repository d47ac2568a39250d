"""Signing in at an OpenID provider: what comes of a right answer, and that each check refuses alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
import time_machine
from joserfc.jwk import ECKey, RSAKey
from pytest_django import Settings

from federation import discovery, provider_keys
from identity.foundation import clock, destinations, outbound
from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable
from pools import ports
from pools.ports import ExternalIdentity, LoginDenied, UpstreamRedirect, UpstreamWishes
from tests.federation.emulator import Asked, Reply, brought_back, running, told
from tests.federation.openid_provider import (
    ACCESS,
    CALLBACK,
    CLIENT,
    SECRET,
    SUBJECT,
    OpenIdProvider,
    half_hash,
    public,
    rsa_key,
    signed,
)
from tests.federation.servers import Told, serving, trickle

KIND = "OIDC"


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    """Start each test with nothing held and no breaker open."""
    forget()
    yield
    forget()


def forget() -> None:
    """Hold nothing."""
    destinations.permits.cache_clear()
    discovery.documents.forget_everything()
    provider_keys.documents.forget_everything()


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    """Return a provider that is right."""
    found = OpenIdProvider()
    with running(found):
        yield found


class Trip:
    """Somebody's way to a provider and back."""

    def __init__(self, provider: OpenIdProvider, **details: str) -> None:
        """Go there and come back."""
        self.go(provider, ports.NO_WISHES, details)

    def go(self, provider: OpenIdProvider, wishes: UpstreamWishes, details: Mapping[str, str]) -> None:
        """Go there and come back, wishing for something."""
        kind = ports.provider_kinds[KIND]
        self.details = kind.check_details(provider.details(**details))
        self.redirect = kind.start(self.details, state="the-state", callback=CALLBACK, wishes=wishes)
        place, self.answer = brought_back(self.redirect.url)
        assert place == CALLBACK
        assert self.answer["state"] == "the-state"

    def finish(self, **answer: str) -> ExternalIdentity:
        """Return who came back."""
        return ports.provider_kinds[KIND].finish(
            self.details, self.redirect, {**self.answer, **answer}, callback=CALLBACK
        )

    def refused(self, **answer: str) -> DomainError:
        """Return why nobody did."""
        with pytest.raises(DomainError) as caught:
            self.finish(**answer)
        return caught.value


def asked_for(provider: OpenIdProvider, wishes: UpstreamWishes) -> str:
    """Return where a browser is sent that wishes for something."""
    trip = Trip(provider)
    trip.go(provider, wishes, {})
    return trip.redirect.url


# -- what comes of a right answer ------------------------------------------------------------------------------------


def test_who_comes_back_is_whom_the_id_token_and_userinfo_are_about(provider: OpenIdProvider) -> None:
    provider.claims = {"name": "Ada", "auth_time": 1_700_000_000, "amr": ["pwd", "otp", 7], "acr": "silver"}
    provider.person = {"email_verified": True}

    found = Trip(provider).finish()

    assert found.subject == SUBJECT
    assert found.authenticated_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (found.methods, found.acr) == (("pwd", "otp"), "silver")
    assert found.claims["name"] == "Ada"
    assert (found.claims["email"], found.claims["email_verified"]) == ("ada@me.example", True)
    assert not {"nonce", "at_hash"} & found.claims.keys()


def test_each_trip_has_a_nonce_and_a_verifier_of_its_own_and_shows_neither(provider: OpenIdProvider) -> None:
    first, second = Trip(provider), Trip(provider)

    for name in ("nonce", "verifier"):
        assert first.redirect.kept[name] != second.redirect.kept[name]
        assert len(first.redirect.kept[name]) >= 32
    assert first.redirect.kept["verifier"] not in repr(first.redirect)
    assert set(parse_qs(urlsplit(first.redirect.url).query)) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }


def test_what_is_wished_for_is_handed_on_all_but_prompt_none(provider: OpenIdProvider) -> None:
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login consent", acr_values="gold silver")

    asked = parse_qs(urlsplit(asked_for(provider, wishes)).query)

    assert asked["login_hint"] == ["ada@id.example"]
    assert (asked["prompt"], asked["acr_values"]) == (["login consent"], ["gold silver"])
    for prompt in ("none", "login none"):
        assert "prompt" not in parse_qs(urlsplit(asked_for(provider, UpstreamWishes(prompt=prompt))).query)


@pytest.mark.parametrize(("scopes", "sent"), [("openid email", "openid email"), ("email", "openid email")])
def test_an_id_token_is_always_asked_for(provider: OpenIdProvider, scopes: str, sent: str) -> None:
    assert parse_qs(urlsplit(Trip(provider, authorize_scopes=scopes).redirect.url).query)["scope"] == [sent]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_is_asked_as_configured(provider: OpenIdProvider, method: str) -> None:
    Trip(provider, attributes_request_method=method).finish()

    asked = provider.asked[-1]
    assert (asked.method, asked.path, asked.fields) == (method, "/me", [])


def test_a_provider_without_userinfo_tells_by_its_id_token_alone(provider: OpenIdProvider) -> None:
    provider.discovery = {"userinfo_endpoint": None}

    assert Trip(provider).finish().claims["email"] == "ada@id.example"


def test_how_and_when_somebody_proved_it_is_the_id_tokens_word_alone(provider: OpenIdProvider) -> None:
    provider.person = {"acr": "gold", "amr": ["hwk"], "auth_time": 1_700_000_000}

    found = Trip(provider).finish()

    assert (found.acr, found.methods, found.authenticated_at) == ("", (), None)


def test_a_client_without_a_secret_sends_none(provider: OpenIdProvider) -> None:
    refused = Trip(provider, client_secret="").refused()

    assert "client_secret" not in dict(next(each for each in provider.asked if each.path == "/token").fields)
    assert refused.parameters["error"] == "invalid_client"


def test_a_query_of_the_authorization_endpoint_is_kept(provider: OpenIdProvider) -> None:
    provider.discovery = {"authorization_endpoint": f"{provider.url}/authorize?login_hint=a%20b%zz"}

    assert parse_qs(urlsplit(Trip(provider).redirect.url).query)["login_hint"] == ["a b%zz"]


ES = {alg: ECKey.generate_key(curve, {"kid": "e1"}) for alg, curve in provider_keys.CURVES.items()}


@pytest.mark.parametrize("alg", provider_keys.ALGORITHMS)
@pytest.mark.parametrize("with_hash", [True, False])
def test_an_id_token_may_be_signed_by_any_asymmetric_algorithm(
    provider: OpenIdProvider, alg: str, with_hash: bool
) -> None:
    provider.key = ES.get(alg, rsa_key())
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


def test_one_slash_more_at_the_end_of_the_issuer_is_the_same_issuer(provider: OpenIdProvider) -> None:
    provider.discovery = provider.claims = {"iss": f"{provider.url}/", "issuer": f"{provider.url}/"}

    assert Trip(provider).finish(iss=f"{provider.url}/").subject == SUBJECT


# -- each check of an ID token, broken alone -------------------------------------------------------------------------


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
    "kid of a key of another kind": (by(ES["ES256"], alg="ES256"), "no key of its kid for its alg"),
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


def test_a_code_is_not_redeemed_without_the_verifier_of_its_trip(provider: OpenIdProvider) -> None:
    first, second = Trip(provider), Trip(provider)
    second.answer = first.answer

    second.refused()

    assert provider.complaints == ["/token: another trip's verifier"]
    provider.complaints.clear()


# -- what the browser brings -----------------------------------------------------------------------------------------


def test_the_answer_of_another_provider_is_refused_before_its_code_is_shown_to_anybody(
    provider: OpenIdProvider,
) -> None:
    refused = Trip(provider).refused(iss="https://elsewhere.example")

    assert (type(refused), refused.detail) == (LoginRefused, "answer: iss is another issuer's")
    assert provider.count("/token") == 0


def test_a_provider_that_promises_to_name_itself_must(provider: OpenIdProvider) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": True}

    refused = Trip(provider).refused()

    assert (type(refused), refused.detail) == (LoginRefused, "answer: no iss, which discovery promises")
    assert provider.count("/token") == 0
    assert Trip(provider).finish(iss=provider.url).subject == SUBJECT


@pytest.mark.parametrize("promise", [None, False, "true", 1])
def test_a_provider_that_promises_nothing_may_name_itself(provider: OpenIdProvider, promise: object) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": promise}

    assert Trip(provider).finish().subject == SUBJECT
    assert Trip(provider).finish(iss=provider.url).subject == SUBJECT


@pytest.mark.parametrize("error", ["access_denied", "user_cancelled_authorize", "user_cancelled_login"])
def test_a_no_is_told_apart_from_what_is_forged(provider: OpenIdProvider, error: str) -> None:
    refused = Trip(provider).refused(error=error, error_description=f"{SUBJECT} said\nno")

    assert isinstance(refused, LoginDenied)
    assert refused.parameters == {"error": error, "description": f"{SUBJECT} saidno", "status": 400}
    assert refused.detail == f"the provider says {error}"
    assert provider.count("/token") == 0


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ("server_error", OutsideUnavailable, "outside_unavailable"),
        ("temporarily_unavailable", OutsideUnavailable, "outside_unavailable"),
        ("invalid_scope", LoginRefused, "provider_refused"),
        ("login_required", LoginRefused, "provider_refused"),
        ("\u00e9\n", LoginRefused, "provider_refused"),
        ("x" * 1000, LoginRefused, "provider_refused"),
    ],
)
def test_a_providers_error_is_its_trouble_or_its_refusal(
    provider: OpenIdProvider, error: str, kind: type[DomainError], code: str
) -> None:
    refused = Trip(provider).refused(error=error)

    assert (type(refused), refused.code) == (kind, code)
    assert len(str(refused.parameters["error"])) <= 64
    assert str(refused.parameters["error"]).isprintable()


@pytest.mark.parametrize(
    ("code", "check"),
    [("", "neither a code nor an error"), ("\u00e9", "the code is none"), ("a\nb", "the code is none")],
)
def test_an_answer_without_a_code_is_refused(provider: OpenIdProvider, code: str, check: str) -> None:
    assert Trip(provider).refused(code=code).detail == f"answer: {check}"
    assert Trip(provider).refused(code="x" * 4097).detail == "answer: the code is none"


def test_a_code_that_the_provider_refuses_is_refused_and_its_words_are_not_logged(provider: OpenIdProvider) -> None:
    refused = Trip(provider).refused(code="another")

    assert (type(refused), refused.code) == (LoginRefused, "provider_refused")
    assert refused.parameters == {
        "error": "invalid_grant",
        "description": f"No such code. {SUBJECT}",
        "status": 400,
    }
    assert refused.detail == "the provider says invalid_grant"


# -- what the provider answers ---------------------------------------------------------------------------------------

ENDPOINTS = {"/token": "token endpoint", "/me": "userinfo", "/keys": "/keys"}


def replied(reply: Reply) -> Callable[[Asked], Reply]:
    """Return what answers always the same."""
    return lambda asked: reply


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(500), "answers 500"),
        (Reply(503, b"{}"), "answers 503"),
        (Reply(302, b"{}", {"location": "/elsewhere"}), "answers 302"),
        (Reply(200, b"<html>"), "no JSON object"),
        (Reply(200, b"[]"), "no JSON object"),
        (Reply(200, b'"text"'), "no JSON object"),
        (Reply(200, b"\xff\xfe\x00"), "no JSON object"),
        (Reply(200, b'{"sub": "\\ud800"}'), "no JSON object"),
        (Reply(200, b'{"sub": ["\\u0000"]}'), "no JSON object"),
        (Reply(200, b"[" * 100_000), "no JSON object"),
        (Reply(200, b"x" * (2 << 20)), "more than"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_provider_that_answers_nonsense_is_unavailable(
    provider: OpenIdProvider, path: str, reply: Reply, words: str
) -> None:
    provider.instead[path] = replied(reply)

    refused = Trip(provider).refused()

    assert isinstance(refused, OutsideUnavailable)
    assert words in refused.detail or (reply.status == 302 and "no JSON" in refused.detail)
    assert ENDPOINTS[path] in refused.detail or words == "more than"
    assert provider.count("/elsewhere") == 0


def hang_on(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing until the caller gives up."""
    handler.rfile.read(1)


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("hang", ["hangs", "trickles", "closed"])
def test_a_provider_that_does_not_answer_in_time_is_unavailable(
    provider: OpenIdProvider, path: str, hang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.code_flow.TOTAL", 0.2)
    ways: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
        "hangs": hang_on,
        "trickles": trickle,
        "closed": lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
    }
    key = {"/token": "token_url", "/me": "attributes_url", "/keys": "jwks_uri"}[path]
    with serving(Told(instead=ways[hang])) as silent:
        trip = Trip(provider, **{key: silent.url})
        began = clock.monotonic()

        refused = trip.refused()

        assert clock.monotonic() - began < 2
    assert isinstance(refused, OutsideUnavailable)
    assert silent.url.partition("//")[2] in refused.detail


def test_everything_that_is_asked_runs_by_one_clock(provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.code_flow.TOTAL", 0.3)
    trip = Trip(provider)

    def slow(asked: Asked) -> Reply:
        until = clock.monotonic() + 0.35
        while clock.monotonic() < until:
            pass
        return provider.token(asked)

    provider.instead["/token"] = slow

    assert isinstance(trip.refused(), OutsideUnavailable)
    assert provider.count("/me") == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"access_token": None}, "no access_token"),
        ({"access_token": ""}, "no access_token"),
        ({"access_token": ["x"]}, "no access_token"),
        ({"access_token": "a\r\nb: c"}, "no access_token"),
        ({"access_token": "\u00e9"}, "no access_token"),
        ({"token_type": "DPoP"}, "token_type is not Bearer"),
        ({"token_type": 7}, "token_type is not Bearer"),
        ({"expires_in": "soon"}, "ValueError"),
        ({"expires_in": [1]}, "TypeError"),
    ],
    ids=str,
)
def test_a_token_response_that_is_none_is_refused(
    provider: OpenIdProvider, changes: dict[str, Any], words: str
) -> None:
    provider.tokens = changes

    refused = Trip(provider).refused()

    assert isinstance(refused, OutsideUnavailable)
    assert refused.detail == f"token endpoint: {words}"


def test_a_token_response_without_an_id_token_is_refused(provider: OpenIdProvider) -> None:
    provider.tokens = {"id_token": None}

    refused = Trip(provider).refused()

    assert (type(refused), refused.detail) == (LoginRefused, "id token: none in the token response")


@pytest.mark.parametrize("subject", ["somebody-else", None, "", 7])
def test_userinfo_about_somebody_else_is_refused(provider: OpenIdProvider, subject: object) -> None:
    provider.person = {"sub": subject}

    refused = Trip(provider).refused()

    assert (type(refused), refused.detail) == (LoginRefused, "userinfo: sub is somebody else")


@pytest.mark.parametrize(
    ("path", "words"), [("/me", "userinfo: answers 401"), ("/token", "token endpoint: answers 401")]
)
def test_a_token_that_the_provider_itself_refuses_is_refused(provider: OpenIdProvider, path: str, words: str) -> None:
    provider.instead[path] = lambda asked: told({}, 401)

    refused = Trip(provider).refused()

    assert (type(refused), refused.code, refused.detail) == (LoginRefused, "provider_refused", words)


def test_a_provider_at_a_private_address_is_asked_nothing_unless_that_is_allowed(
    provider: OpenIdProvider, settings: Settings
) -> None:
    trip = Trip(provider)
    settings.OUTBOUND_PRIVATE = False
    outbound.adapter.cache_clear()  # with the connections that were allowed

    refused = trip.refused()

    assert isinstance(refused, OutsideUnavailable)
    assert refused.detail == "127.0.0.1 is at a private address"
    assert provider.count("/token") == 0


def test_nothing_of_tokens_and_claims_is_logged_or_told(
    provider: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    said: list[str] = []
    with structlog.testing.capture_logs() as lines:
        Trip(provider).finish()
        for claims in ({"nonce": "other"}, {"sub": ""}, {"aud": "somebody"}):
            provider.claims = claims
            refused = Trip(provider).refused()
            said.append(f"{refused.message} {refused.detail} {refused.parameters}")

    written = f"{lines} {said}"
    for secret in (ACCESS, SECRET, SUBJECT, "ada@", "eyJ"):
        assert secret not in written


# -- keys and documents, as a process holds them ---------------------------------------------------------------------


def test_keys_and_discovery_are_read_once_for_many_trips(provider: OpenIdProvider) -> None:
    for _ in range(3):
        Trip(provider).finish()

    assert provider.count("/keys") == provider.count("/.well-known/openid-configuration") == 1


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
    monkeypatch.setattr("federation.published.REST", 0)
    Trip(provider).finish()
    provider.header = {"alg": "RS256", "kid": "nobody's"}

    Trip(provider).refused()
    Trip(provider).refused()

    assert provider.count("/keys") == 3


def test_old_keys_are_used_while_the_provider_does_not_tell_them(
    provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    Trip(provider).finish()
    monkeypatch.setattr("federation.published.FRESH", 0)
    provider.instead["/keys"] = provider.instead["/.well-known/openid-configuration"] = replied(Reply(503))

    for _ in range(3):
        assert Trip(provider).finish().subject == SUBJECT

    assert provider.count("/keys") == 2

    monkeypatch.setattr("federation.published.STALE", 0)
    details = provider.details(
        **{key: f"{provider.url}/{path}" for key, path in (("authorize_url", "authorize"), ("token_url", "token"))},
        jwks_uri=f"{provider.url}/keys",
    )
    assert isinstance(Trip(provider, **details).refused(), OutsideUnavailable)


def test_a_promise_to_name_itself_is_remembered_while_the_provider_is_away(
    provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": True}
    Trip(provider)
    monkeypatch.setattr("federation.published.FRESH", 0)
    provider.instead["/.well-known/openid-configuration"] = replied(Reply(503))

    assert Trip(provider).refused().detail == "answer: no iss, which discovery promises"


WEAK = {"kty": "RSA", "kid": "k1", "e": "AQAB", "n": rsa_key().as_dict(private=False)["n"]}


@pytest.mark.parametrize(
    ("published", "works"),
    [
        ([7, None, "x", {}, {"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}, {"kty": "new", "kid": "k1"}], False),
        ([{**WEAK, "n": str(WEAK["n"])[:170]}], False),
        ([{**WEAK, "n": "!"}], False),
        ([{**WEAK, "n": 7}], False),
        ([{**WEAK, "n": "A" * 20_000}], False),
        ([{**WEAK, "e": ""}], False),
        ([{**WEAK, "e": "AQ"}], False),
        ([public(rsa_key(), use="enc")], False),
        ([public(rsa_key(), alg="RS512")], False),
        ([public(rsa_key(), alg="HS256")], False),
        ([public(rsa_key(), kid=7)], False),
        ([{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k1"}], False),
        ([{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1"}], False),
        ([{"kty": "EC", "kid": "k1"}], False),
        ([public(ES["ES256"], kid="k1"), public(rsa_key())], True),
        ([public(rsa_key("stranger"), kid="k1"), public(rsa_key())], True),
        ([public(rsa_key(), use=None, alg="RS256")], True),
        ([rsa_key().as_dict(private=True)], True),
    ],
    ids=lambda value: str(value)[:60],
)
def test_of_what_a_provider_publishes_only_real_keys_count(
    provider: OpenIdProvider, published: list[Any], works: bool
) -> None:
    provider.published = published

    if works:
        assert Trip(provider).finish().subject == SUBJECT
    else:
        assert Trip(provider).refused().detail == "id token: no key of its kid for its alg"


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": None}])
def test_a_document_without_keys_is_none(provider: OpenIdProvider, document: dict[str, Any]) -> None:
    provider.instead["/keys"] = lambda asked: told(document)

    refused = Trip(provider).refused()

    assert (type(refused), refused.detail) == (OutsideUnavailable, f"{provider.url}/keys has no keys")


def test_without_a_kid_one_key_is_enough_and_several_are_too_many(provider: OpenIdProvider) -> None:
    provider.header = {"alg": "RS256"}
    provider.published = [public(rsa_key()), public(ES["ES256"])]
    assert Trip(provider).finish().subject == SUBJECT

    forget()
    provider.published = [public(rsa_key()), public(rsa_key("k2"))]
    assert Trip(provider).refused().detail == "id token: no kid among several keys"


# -- what is published, and how reading it went ----------------------------------------------------------------------


def told_of(documents: Sequence[ports.ProviderDocument]) -> list[tuple[str, bool, str]]:
    """Return what each document is, whether it was had, and why it could not be had lately."""
    return [(each.what, each.read_at is not None, each.problem) for each in documents]


def test_how_discovery_and_keys_were_read_is_told_without_asking(provider: OpenIdProvider) -> None:
    kind = ports.provider_kinds[KIND]
    trip = Trip(provider)
    assert told_of(kind.documents(trip.details)) == [("discovery", True, ""), ("keys", False, "")]
    trip.finish()
    assert told_of(kind.documents(trip.details)) == [("discovery", True, ""), ("keys", True, "")]


@pytest.mark.parametrize(
    ("discovery", "published", "problems"),
    [
        ({"issuer": "https://other.example"}, [], ["another_issuer", ""]),
        ({"token_endpoint": "ftp://x"}, [], ["unusable_endpoint", ""]),
        ({}, None, ["", "no_keys"]),
        ({}, [], ["", ""]),
    ],
)
def test_asking_now_tells_what_is_wrong_with_each(
    provider: OpenIdProvider, discovery: dict[str, Any], published: list[dict[str, Any]] | None, problems: list[str]
) -> None:
    kind = ports.provider_kinds[KIND]
    details = kind.check_details(provider.details())
    provider.discovery, provider.published = discovery, published  # type: ignore[assignment]  # what is wrong

    found = kind.read_documents(details)

    assert [each.problem for each in found] == problems
    assert [each.failed_at is not None for each in found] == [bool(problem) for problem in problems]


def test_nobody_at_the_address_is_told_too(provider: OpenIdProvider) -> None:
    kind = ports.provider_kinds[KIND]
    details = {**kind.check_details(provider.details()), "jwks_uri": "http://127.0.0.1:9/keys"}

    assert told_of(kind.read_documents(details))[1] == ("keys", False, "outside_unavailable")


def test_a_kind_without_documents_has_none() -> None:
    for name, whats in (("Facebook", []), ("LoginWithAmazon", []), ("Google", ["keys"]), ("SignInWithApple", ["keys"])):
        assert [each.what for each in ports.provider_kinds[name].documents({})] == whats
