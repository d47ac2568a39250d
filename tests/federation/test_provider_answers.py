"""What an OpenID provider answers: nonsense, nothing in time, somebody else, and what of it is logged."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import structlog
from pytest_django import Settings

from identity.foundation import clock, http_sessions
from identity.foundation.errors import LoginRefused, OutsideUnavailable
from tests.federation.emulator import Asked, Reply, replied, told
from tests.federation.openid_provider import (
    ACCESS,
    SECRET,
    SUBJECT,
    OpenIdProvider,
)
from tests.federation.openid_trip import Trip
from tests.federation.servers import Told, serving, trickle

ENDPOINTS = {"/token": "token endpoint", "/me": "userinfo", "/keys": "/keys"}


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
    http_sessions.adapter.cache_clear()  # with the connections that were allowed

    refused = trip.refused()

    assert isinstance(refused, OutsideUnavailable)
    assert refused.detail == "127.0.0.1 is at a private address"
    assert provider.count("/token") == 0


@pytest.mark.parametrize(("asked", "next_to_ask"), [("/token", "/keys"), ("/keys", "/me"), ("", "/token")])
def test_what_is_configured_by_http_is_not_asked_where_that_is_not_allowed(
    provider: OpenIdProvider, settings: Settings, asked: str, next_to_ask: str
) -> None:
    trip = Trip(provider)

    def last(request: Asked) -> Reply:
        settings.INSECURE_PROVIDERS = False
        return provider.routes()[f"{request.method} {request.path}"](request)

    provider.instead[asked] = last
    settings.INSECURE_PROVIDERS = bool(asked)

    refused = trip.refused()

    assert isinstance(refused, OutsideUnavailable)
    assert refused.detail == f"{provider.url}{next_to_ask} is not https"
    assert provider.count(next_to_ask) == 0
    with pytest.raises(OutsideUnavailable):
        trip.go()


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
