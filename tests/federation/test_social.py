"""Signing in at Google, Facebook, Amazon and Apple: what each does otherwise than the others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from pytest_django import Settings

from federation import provider_keys
from identity.foundation import clock, destinations
from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable
from pools import ports
from pools.ports import ExternalIdentity, LoginDenied, UpstreamWishes
from tests.federation.emulator import Asked, Reply, brought_back, running, told, visited
from tests.federation.social_emulator import (
    AMAZON_ID,
    APPLE_ID,
    APPLE_KEY,
    FACEBOOK_ID,
    GOOGLE_ID,
    KEY,
    SECRET,
    TEAM,
    SocialProviders,
)
from tests.federation.test_details import pem

CALLBACK = "https://pool.example/oauth2/idpresponse"
GOOGLE, FACEBOOK, AMAZON, APPLE = "Google", "Facebook", "LoginWithAmazon", "SignInWithApple"
GIVEN = {
    GOOGLE: {"client_id": GOOGLE_ID, "client_secret": SECRET, "authorize_scopes": "email profile openid"},
    FACEBOOK: {"client_id": FACEBOOK_ID, "client_secret": SECRET, "authorize_scopes": "public_profile, email"},
    AMAZON: {"client_id": AMAZON_ID, "client_secret": SECRET, "authorize_scopes": "profile postal_code"},
    APPLE: {
        "client_id": APPLE_ID,
        "team_id": TEAM,
        "key_id": KEY,
        "private_key": pem(APPLE_KEY),
        "authorize_scopes": "email name",
    },
}
SUBJECTS = {GOOGLE: "108204", FACEBOOK: "10159", AMAZON: "amzn1.account.ADA", APPLE: "001.ada.7"}
TOKEN_PATHS = {
    GOOGLE: "/www.googleapis.com/oauth2/v4/token",
    FACEBOOK: "/graph.facebook.com/v17.0/oauth/access_token",
    AMAZON: "/api.amazon.com/auth/o2/token",
    APPLE: "/appleid.apple.com/auth/token",
}


@pytest.fixture
def social(settings: Settings) -> Iterator[SocialProviders]:
    """Return all four, where the installation looks for them."""
    destinations.permits.cache_clear()
    provider_keys.documents.forget_everything()
    found = SocialProviders()
    with running(found):
        settings.SOCIAL_PROVIDERS_URL = found.url
        yield found
    destinations.permits.cache_clear()
    provider_keys.documents.forget_everything()


class Trip:
    """Somebody's way to a provider and back."""

    def __init__(self, kind: str, **changes: str) -> None:
        """Go there and come back."""
        self.kind = ports.provider_kinds[kind]
        self.details = self.kind.check_details({**GIVEN[kind], **changes})
        self.redirect = self.kind.start(self.details, state="the-state", callback=CALLBACK)
        place, self.answer = brought_back(self.redirect.url)
        assert (place, self.answer["state"]) == (CALLBACK, "the-state")

    def finish(self, *, wanted: Collection[str] = (), **answer: str) -> ExternalIdentity:
        """Return who came back."""
        return self.kind.finish(
            self.details, self.redirect, {**self.answer, **answer}, callback=CALLBACK, wanted=wanted
        )

    def refused(self, *, wanted: Collection[str] = (), **answer: str) -> DomainError:
        """Return why nobody did."""
        with pytest.raises(DomainError) as caught:
            self.finish(wanted=wanted, **answer)
        return caught.value


# -- all four --------------------------------------------------------------------------------------------------------


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

    url = found.start(details, state="s", callback=CALLBACK).url

    assert url.startswith(f"{details['authorize_url']}?")


@pytest.mark.parametrize("kind", GIVEN)
def test_only_google_is_told_who_wants_to_sign_in(kind: str) -> None:
    found = ports.provider_kinds[kind]
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login", acr_values="gold")

    url = found.start(found.check_details(GIVEN[kind]), state="s", callback=CALLBACK, wishes=wishes).url

    asked = parse_qs(urlsplit(url).query)
    assert ("login_hint" in asked, "prompt" in asked, "acr_values" in asked) == (kind == GOOGLE, kind == GOOGLE, False)


# -- those with ID tokens --------------------------------------------------------------------------------------------


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


# -- Google ----------------------------------------------------------------------------------------------------------


def test_google_tells_of_a_workspace(social: SocialProviders) -> None:
    claims = Trip(GOOGLE).finish().claims

    assert (claims["hd"], claims["email_verified"]) == ("id.example", True)
    assert social.count("/people.googleapis.com/v1/people/me") == 0


def test_google_is_asked_for_an_id_token_whatever_the_scopes(social: SocialProviders) -> None:
    assert Trip(GOOGLE, authorize_scopes="profile").finish().subject == SUBJECTS[GOOGLE]


def test_fields_of_the_people_api_are_asked_for_where_the_pool_wants_them(social: SocialProviders) -> None:
    claims = Trip(GOOGLE).finish(wanted=["email", "phoneNumbers", "birthdays", "nicknames", "../x"]).claims

    assert (claims["birthdays"], claims["phoneNumbers"]) == ("1815-12-10", "+44 20 2")
    assert "nicknames" not in claims
    assert social.asked[-1]["personFields"] == "birthdays,nicknames,phoneNumbers"


def test_fields_that_a_person_does_not_grant_are_absent(social: SocialProviders) -> None:
    social.instead["/people.googleapis.com/v1/people/me"] = lambda asked: told({"error": {"code": 403}}, 403)

    assert "birthdays" not in Trip(GOOGLE).finish(wanted=["birthdays"]).claims


@pytest.mark.parametrize(
    "person",
    [
        {"birthdays": 7},
        {"birthdays": [7, None]},
        {"birthdays": [{"date": {"year": "x", "month": 1, "day": 1}}]},
        {"birthdays": [{"date": {"year": 0, "month": 1, "day": 1}, "metadata": 7}]},
        {"birthdays": [{"value": 7}]},
    ],
    ids=str,
)
def test_fields_that_are_none_are_absent(social: SocialProviders, person: dict[str, Any]) -> None:
    social.person = person

    assert "birthdays" not in Trip(GOOGLE).finish(wanted=["birthdays"]).claims


@pytest.mark.parametrize("person", [{"resourceName": "people/7"}, {"resourceName": None}])
def test_fields_of_somebody_else_are_refused(social: SocialProviders, person: dict[str, Any]) -> None:
    social.person = person

    assert Trip(GOOGLE).refused(wanted=["birthdays"]).detail == "people: resourceName is somebody else"


def test_google_may_be_asked_for_userinfo_instead(social: SocialProviders) -> None:
    instead = {
        "attributes_url": "https://openidconnect.googleapis.com/v1/userinfo",
        "attributes_url_add_attributes": "false",
    }
    assert Trip(GOOGLE, **instead).finish(wanted=["birthdays"]).claims["picture"] == "https://id.example/ada.png"

    social.person = {"sub": "7"}
    assert Trip(GOOGLE, **instead).refused().detail == "userinfo: sub is somebody else"


# -- Facebook --------------------------------------------------------------------------------------------------------


def test_facebook_is_asked_for_what_its_scopes_grant(social: SocialProviders) -> None:
    claims = Trip(FACEBOOK).finish().claims

    assert (claims["name"], claims["first_name"], claims["email"]) == ("Ada Lovelace", "Ada", "ada@id.example")
    assert claims["picture"]["data"]["url"] == "https://id.example/ada.png"
    assert "email" not in Trip(FACEBOOK, authorize_scopes="public_profile").finish().claims


def test_facebook_is_asked_for_what_the_pool_wants_and_for_nothing_that_is_no_field(social: SocialProviders) -> None:
    found = Trip(FACEBOOK).finish(wanted=["email", "birthday", "a&b=c", "id", "custom:x", ""])

    assert (found.subject, found.claims["email"]) == (SUBJECTS[FACEBOOK], "ada@id.example")
    assert social.asked[-1]["fields"] == "id,birthday,email"


def test_facebook_may_be_posted_to(social: SocialProviders) -> None:
    assert Trip(FACEBOOK, token_request_method="POST").finish().subject == SUBJECTS[FACEBOOK]
    assert [each.method for each in social.asked if each.path == TOKEN_PATHS[FACEBOOK]] == ["POST"]


def test_facebooks_fields_may_stand_in_its_address(social: SocialProviders) -> None:
    fixed = {"attributes_url": "https://graph.facebook.com/v17.0/me?fields=id,name"}

    found = Trip(FACEBOOK, **fixed, attributes_url_add_attributes="false").finish(wanted=["email"])

    assert set(found.claims) == {"id", "name"}


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, "a\nb"])
def test_a_profile_of_nobody_is_refused(social: SocialProviders, subject: object) -> None:
    social.person = {"id": subject, "user_id": subject}

    assert Trip(FACEBOOK).refused().detail == "profile: id is missing"
    assert Trip(AMAZON).refused().detail == "profile: user_id is missing"


@pytest.mark.parametrize(
    "error", [{"message": "x"}, {"type": 7, "message": ["x"]}, {"type": "", "message": None}], ids=str
)
def test_facebooks_errors_are_objects_of_any_shape(social: SocialProviders, error: dict[str, Any]) -> None:
    social.instead[TOKEN_PATHS[FACEBOOK]] = lambda asked: told({"error": error}, 400)

    refused = Trip(FACEBOOK).refused()

    assert (type(refused), refused.code) == (LoginRefused, "provider_refused")
    assert refused.parameters["error"]


def test_facebooks_profile_may_be_refused(social: SocialProviders) -> None:
    social.instead["/graph.facebook.com/v17.0/me"] = lambda asked: told({"error": {"message": "proof"}}, 400)

    refused = Trip(FACEBOOK).refused()

    assert (type(refused), refused.detail) == (LoginRefused, "profile: answers 400")


# -- Amazon ----------------------------------------------------------------------------------------------------------


def test_amazon_tells_a_profile(social: SocialProviders) -> None:
    claims = Trip(AMAZON).finish().claims

    assert (claims["name"], claims["postal_code"]) == ("Ada", "98052")


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"aud": "amzn1.application-oa2-client.other"}, "tokeninfo: aud is somebody else"),
        ({"aud": None}, "tokeninfo: aud is somebody else"),
        ({"user_id": "amzn1.account.OTHER"}, "profile: user_id is somebody else"),
    ],
    ids=str,
)
def test_a_token_that_amazon_gave_to_somebody_else_is_refused(
    social: SocialProviders, claims: dict[str, Any], check: str
) -> None:
    social.claims = claims

    refused = Trip(AMAZON).refused()

    assert (type(refused), refused.detail) == (LoginRefused, check)


def test_another_region_of_amazon_is_asked_there_alone(social: SocialProviders) -> None:
    def elsewhere(asked: Asked) -> Reply:
        return social.routes()[f"{asked.method} {asked.path.replace('.co.jp', '.com')}"](asked)

    for path in ("auth/o2/token", "auth/o2/tokeninfo", "user/profile"):
        social.instead[f"/api.amazon.co.jp/{path}"] = elsewhere
    endpoints = {
        "token_url": "https://api.amazon.co.jp/auth/o2/token",
        "attributes_url": "https://api.amazon.co.jp/user/profile",
    }

    assert Trip(AMAZON, **endpoints).finish().subject == SUBJECTS[AMAZON]
    assert not any(each.path.startswith("/api.amazon.com/") for each in social.asked)


# -- Apple -----------------------------------------------------------------------------------------------------------


def test_apple_tells_a_name_once_and_flags_as_what_they_are(social: SocialProviders) -> None:
    first, second = Trip(APPLE).finish().claims, Trip(APPLE).finish().claims

    assert (first["firstName"], first["lastName"], first["name"]) == ("Ada", "Lovelace", "Ada Lovelace")
    assert "name" not in second
    for claims in (first, second):
        assert claims["email"] == "x7@privaterelay.appleid.com"
        assert claims["email_verified"] is True
        assert claims["is_private_email"] is True


@pytest.mark.parametrize(
    ("told_as", "read_as"), [("false", False), (False, False), (True, True), ("yes", False), ("", False)]
)
def test_only_true_is_true(social: SocialProviders, told_as: object, read_as: bool) -> None:
    social.claims = {"email_verified": told_as}

    assert Trip(APPLE).finish().claims["email_verified"] is read_as


def test_what_apple_does_not_say_is_not_made_up(social: SocialProviders) -> None:
    social.claims = {"is_private_email": None, "email": None, "email_verified": None}

    claims = Trip(APPLE).finish().claims

    assert not {"is_private_email", "email", "email_verified"} & claims.keys()


@pytest.mark.parametrize(
    ("user", "names"),
    [
        ({"name": {"firstName": "Ada"}}, {"firstName": "Ada", "name": "Ada"}),
        ({"name": {"firstName": "", "lastName": "L"}}, {"lastName": "L", "name": "L"}),
        ({"name": {"firstName": 7, "lastName": ["L"]}}, {}),
        ({"name": {"firstName": "x" * 257}}, {}),
        ({"name": "Ada"}, {}),
        ({"email": "forged@elsewhere.example", "sub": "002", "email_verified": True}, {}),
        ({}, {}),
    ],
    ids=str,
)
def test_of_what_the_browser_brings_only_names_are_read(
    social: SocialProviders, user: dict[str, Any], names: dict[str, str]
) -> None:
    found = Trip(APPLE).finish(user=json.dumps(user))

    assert (found.subject, found.claims["email"]) == (SUBJECTS[APPLE], "x7@privaterelay.appleid.com")
    assert {name: found.claims[name] for name in ("firstName", "lastName", "name") if name in found.claims} == names


@pytest.mark.parametrize(
    "user", ["nonsense", "[]", '"text"', '{"name": "\\ud800"}', "[" * 4000, json.dumps({"x": "x" * 4100})]
)
def test_what_is_none_of_apples_names_is_refused(social: SocialProviders, user: str) -> None:
    refused = Trip(APPLE).refused(user=user)

    assert (type(refused), refused.detail) == (LoginRefused, "answer: user is no JSON object")


def test_each_call_to_apple_has_a_secret_of_its_own(social: SocialProviders) -> None:
    Trip(APPLE).finish()
    Trip(APPLE).finish()

    first, second = (each["client_secret"] for each in social.asked if each.path == TOKEN_PATHS[APPLE])
    assert first != second
    assert social.secret_problem(first) == ""


def test_the_emulator_complains_of_what_nobody_told_it_to_expect(social: SocialProviders) -> None:
    url = Trip(GOOGLE).redirect.url

    for more in ("&colour=red", "&state=again", "&nonce="):
        visited(url + more)
    visited(url.replace("code_challenge=", "ignored="))
    visited(f"{social.url}/elsewhere")

    assert [words.rpartition(": ")[2] for words in social.complaints if "unexpected" in words or "nobody" in words] == [
        "unexpected ['colour']",
        "unexpected ['ignored']",
        "nobody answers GET /elsewhere",
    ]
    assert sum("a field twice" in words for words in social.complaints) == 2
    assert sum("missing ['code_challenge']" in words for words in social.complaints) == 1
    social.complaints.clear()


def test_the_emulator_takes_no_secret_but_apples_own(social: SocialProviders) -> None:
    trip = Trip(APPLE, private_key=pem(ec.generate_private_key(ec.SECP256R1())))

    assert trip.refused().parameters["error"] == "invalid_client"
    assert len(social.complaints) == 1
    social.complaints.clear()


@pytest.mark.parametrize(("change", "wrong"), [({"team_id": "T"}, "iss"), ({"key_id": "K"}, "kid")])
def test_the_emulator_says_what_is_wrong_with_a_secret(
    social: SocialProviders, change: dict[str, str], wrong: str
) -> None:
    Trip(APPLE, **change).refused()

    assert social.complaints == [f"apple: {wrong}"]
    social.complaints.clear()


def test_a_secret_for_apple_does_not_live_long(social: SocialProviders) -> None:
    trip = Trip(APPLE)
    trip.finish()

    secret = next(each["client_secret"] for each in social.asked if each.path == TOKEN_PATHS[APPLE])
    claims = json.loads(jws.extract_compact(secret.encode()).payload)
    assert claims["exp"] - clock.epoch() <= 300


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
