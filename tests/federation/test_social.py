"""Signing in at Google, Facebook, Amazon and Apple: what all of them have in common."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from identity.foundation.errors import LoginRefused, OutsideUnavailable
from pools import ports
from pools.ports import LoginDenied, UpstreamWishes
from tests.federation.emulator import Reply
from tests.federation.social_emulator import AMAZON_ID, FACEBOOK_ID, SocialProviders
from tests.federation.social_trip import AMAZON, APPLE, FACEBOOK, GIVEN, GOOGLE, OURS, SUBJECTS, TOKEN_PATHS, Trip


@pytest.mark.parametrize("kind", GIVEN)
def test_who_comes_back_is_whom_the_provider_means(social: SocialProviders, kind: str) -> None:
    found = Trip(kind).finish()

    assert found.subject == SUBJECTS[kind]
    assert str(found.claims["email"]).count("@") == 1


@pytest.mark.parametrize("kind", GIVEN)
def test_a_persons_no_is_told_apart_from_what_is_forged(social: SocialProviders, kind: str) -> None:
    social.denies = True

    refused = Trip(kind).refused()

    assert isinstance(refused, LoginDenied)
    assert refused.parameters["error"] == ("user_cancelled_authorize" if kind == APPLE else "access_denied")
    assert social.count(TOKEN_PATHS[kind]) == 0


@pytest.mark.parametrize("kind", GIVEN)
def test_a_code_works_once_and_the_providers_error_is_told(social: SocialProviders, kind: str) -> None:
    trip = Trip(kind)
    trip.finish()

    refused = trip.refused()

    errors = {GOOGLE: "invalid_grant", FACEBOOK: "OAuthException", AMAZON: "invalid_client", APPLE: "invalid_grant"}
    assert (type(refused), refused.code) == (LoginRefused, "provider_refused")
    assert refused.parameters["error"] == errors[kind]
    assert refused.parameters["status"] == (401 if kind == AMAZON else 400)


@pytest.mark.parametrize("kind", GIVEN)
def test_a_provider_that_is_down_is_unavailable(social: SocialProviders, kind: str) -> None:
    social.instead[TOKEN_PATHS[kind]] = lambda asked: Reply(503, b"down")

    assert isinstance(Trip(kind).refused(), OutsideUnavailable)


@pytest.mark.parametrize("kind", GIVEN)
def test_details_name_the_real_addresses_wherever_a_copy_is(social: SocialProviders, kind: str) -> None:
    details = Trip(kind).details

    assert social.url not in json.dumps(dict(details))
    assert str(details["authorize_url"]).startswith("https://")


@pytest.mark.parametrize("kind", GIVEN)
def test_without_a_copy_people_are_sent_to_the_real_provider(settings: Settings, kind: str) -> None:
    settings.SOCIAL_PROVIDERS_URL = ""
    found = ports.provider_kinds[kind]
    details = found.check_details(GIVEN[kind])

    url = found.start(details, OURS, state="s").url

    assert url.startswith(f"{details['authorize_url']}?")


@pytest.mark.parametrize("kind", GIVEN)
def test_only_google_is_told_who_wants_to_sign_in(kind: str) -> None:
    found = ports.provider_kinds[kind]
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login", acr_values="gold")

    url = found.start(found.check_details(GIVEN[kind]), OURS, state="s", wishes=wishes).url

    asked = parse_qs(urlsplit(url).query)
    assert ("login_hint" in asked, "prompt" in asked, "acr_values" in asked) == (kind == GOOGLE, kind == GOOGLE, False)


@pytest.mark.parametrize("kind", [GOOGLE, APPLE])
@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://elsewhere.example"}, "iss is another issuer"),
        ({"aud": "somebody"}, "aud is somebody else"),
        ({"azp": "somebody"}, "azp is somebody else"),
        ({"nonce": None}, "nonce is another trip's"),
        ({"exp": 1}, "exp is past"),
        ({"at_hash": "x"}, "at_hash is another access token's"),
        ({"sub": None}, "sub is missing"),
    ],
    ids=str,
)
def test_their_id_tokens_are_checked_as_all_are(
    social: SocialProviders, kind: str, claims: dict[str, Any], check: str
) -> None:
    social.claims = claims

    refused = Trip(kind).refused()

    assert (type(refused), refused.detail) == (LoginRefused, f"id token: {check}")


def test_google_may_leave_out_the_scheme_of_its_name_and_apple_may_not(social: SocialProviders) -> None:
    social.claims = {"iss": "accounts.google.com"}
    assert Trip(GOOGLE).finish().subject == SUBJECTS[GOOGLE]

    social.claims = {"iss": "appleid.apple.com"}
    assert Trip(APPLE).refused().detail == "id token: iss is another issuer"


@pytest.mark.parametrize("kind", [GOOGLE, APPLE])
def test_an_answer_under_another_providers_name_is_refused(social: SocialProviders, kind: str) -> None:
    assert Trip(kind).refused(iss="https://elsewhere.example").detail == "answer: iss is another issuer's"
    assert social.count(TOKEN_PATHS[kind]) == 0


# -- access tokens as logins of identity pools -----------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "app"), [("graph.facebook.com", FACEBOOK_ID), ("www.amazon.com", AMAZON_ID)])
def test_an_access_token_is_a_login_of_its_own_application_alone(
    social: SocialProviders, provider: str, app: str
) -> None:
    social.tokens["a-token"] = app
    verifier = ports.login_verifiers[provider]

    found = verifier.verify("a-token", audiences=["another", app])

    who = "user_id" if app == AMAZON_ID else "sub"
    assert (found.provider, found.audience, found.subject) == (provider, app, found.claims[who])
    with pytest.raises(LoginRefused, match="Token is not from a supported provider of this identity pool"):
        verifier.verify("a-token", audiences=["another"])
