"""Signing in at an OpenID provider: what comes of a right answer, and of what a browser brings."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable
from pools.ports import LoginDenied, UpstreamWishes
from tests.federation.openid_provider import (
    SUBJECT,
    OpenIdProvider,
)
from tests.federation.openid_trip import Trip


def asked_for(provider: OpenIdProvider, wishes: UpstreamWishes) -> str:
    """Return where a browser is sent that wishes for something."""
    return Trip(provider).go(wishes).redirect.url


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


def test_what_the_pool_wants_is_put_at_the_end_of_the_address_where_details_say_so(provider: OpenIdProvider) -> None:
    url = f"{provider.url}/me?fields="

    Trip(provider, attributes_url=url, attributes_url_add_attributes="true").finish(wanted=["email", "a b&c=d"])

    assert provider.asked[-1].fields == [("fields", "email,a b&c=d")]


def test_a_client_without_a_secret_sends_none(provider: OpenIdProvider) -> None:
    refused = Trip(provider, client_secret="").refused()

    assert "client_secret" not in dict(next(each for each in provider.asked if each.path == "/token").fields)
    assert refused.parameters["error"] == "invalid_client"


def test_a_query_of_the_authorization_endpoint_is_kept(provider: OpenIdProvider) -> None:
    provider.discovery = {"authorization_endpoint": f"{provider.url}/authorize?login_hint=a%20b%zz"}

    assert parse_qs(urlsplit(Trip(provider).redirect.url).query)["login_hint"] == ["a b%zz"]


def test_one_slash_more_at_the_end_of_the_issuer_is_the_same_issuer(provider: OpenIdProvider) -> None:
    provider.discovery = provider.claims = {"iss": f"{provider.url}/", "issuer": f"{provider.url}/"}

    assert Trip(provider).finish(iss=f"{provider.url}/").subject == SUBJECT


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
