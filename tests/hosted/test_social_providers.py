"""Whole sign-ins by Google, Facebook, Amazon and Apple, as browsers make them, with copies of all four on loopback."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.federation.emulator import running
from tests.federation.social_emulator import SocialProviders
from tests.federation.social_trip import AMAZON, APPLE, FACEBOOK, GIVEN, GOOGLE, SUBJECTS
from tests.hosted.federation import VERIFIER
from tests.hosted.upstream import Sent, accounts, heading, refusals
from tests.hosted.world import Page, World
from tests.live import Live
from tests.oidc.world import claims

MAPPINGS: dict[str, dict[str, str]] = {
    GOOGLE: {"email": "email", "email_verified": "email_verified", "name": "name", "birthdate": "birthdays"},
    FACEBOOK: {"email": "email", "name": "name", "given_name": "first_name"},
    AMAZON: {"email": "email", "name": "name", "address": "postal_code"},
    APPLE: {"email": "email", "email_verified": "email_verified", "given_name": "firstName", "family_name": "lastName"},
}
TOLD = {
    GOOGLE: {"email": "ada@id.example", "email_verified": "true", "name": "Ada", "birthdate": "1815-12-10"},
    FACEBOOK: {"email": "ada@id.example", "email_verified": "false", "name": "Ada Lovelace", "given_name": "Ada"},
    AMAZON: {"email": "ada@id.example", "email_verified": "false", "name": "Ada", "address": "98052"},
    APPLE: {
        "email": "x7@privaterelay.appleid.com",
        "email_verified": "true",
        "given_name": "Ada",
        "family_name": "Lovelace",
    },
}
"""What each account has of it. Facebook and Amazon do not say that they have verified an address, and so it is not."""


class Social:
    """A pool to which people come by one of the four, and the copies of these."""

    def __init__(self, live: Live, copies: SocialProviders, kind: str, **settings: Any) -> None:
        """Make it."""
        self.world, self.copies, self.kind = World(live, mfa="OFF", **settings), copies, kind
        self.world.idp.create_identity_provider(
            UserPoolId=self.world.pool_id,
            ProviderName=kind,
            ProviderType=kind,
            ProviderDetails=GIVEN[kind],
            AttributeMapping=MAPPINGS[kind],
        )
        self.app = self.world.app("By one of the four", SupportedIdentityProviders=["COGNITO", kind])

    def sign_in(self) -> Page:
        """Come back from there as its browsers do: Apple's by a form of its page."""
        sent = Sent(self.world, self.app, self.kind)
        return sent.post() if self.kind == APPLE else sent.back()

    def claims(self, page: Page) -> dict[str, Any]:
        """Trade the code of a page for tokens; return what the ID token says."""
        given = {"grant_type": "authorization_code", "code": page.code, "client_id": self.app}
        more = {"redirect_uri": self.world.callback, "code_verifier": VERIFIER}
        answer = requests.post(f"{self.world.base}/oauth2/token", data=given | more, timeout=30)
        assert answer.status_code == 200, answer.text
        return claims(answer.json()["id_token"])

    def attributes(self, username: str) -> dict[str, str]:
        """Return what is kept of somebody."""
        found = self.world.idp.admin_get_user(UserPoolId=self.world.pool_id, Username=username)
        assert found["UserStatus"] == "EXTERNAL_PROVIDER"
        return {each["Name"]: each["Value"] for each in found["UserAttributes"]}


@pytest.fixture(scope="module")
def beside(live: Live) -> Iterator[tuple[Live, SocialProviders]]:
    """Return an installation of one web process that takes the copies for all four; the usual one knows of none."""
    copies = SocialProviders()
    with running(copies), live.second_web(itself=True, SOCIAL_PROVIDERS_URL=copies.url) as url:
        found = copy.copy(live)
        found.base_url = url
        yield found, copies


@pytest.fixture
def social(beside: tuple[Live, SocialProviders], kind: str) -> Social:
    """Return a new pool of a kind, at a provider that has met nobody."""
    live, copies = beside
    copies.denies, copies.claims, copies.person = False, {}, {}
    copies.known_to_apple.clear()
    return Social(live, copies, kind)


every = pytest.mark.parametrize("kind", TOLD)


@every
def test_who_comes_by_one_of_the_four_has_an_account_with_what_that_tells(social: Social, kind: str) -> None:
    told = social.claims(social.sign_in())

    username = f"{kind.lower()}_{SUBJECTS[kind].lower()}"
    assert told["cognito:username"] == username
    [identity] = told["identities"]
    assert (identity["providerName"], identity["providerType"]) == (kind, kind)
    assert identity["userId"] == SUBJECTS[kind]
    kept = social.attributes(username)
    assert {name: kept.get(name) for name in TOLD[kind]} == TOLD[kind]
    again = social.claims(social.sign_in())
    assert again["sub"] == told["sub"]
    assert social.attributes(username) == kept


@every
def test_who_says_no_there_is_not_signed_in(social: Social, kind: str) -> None:
    before = accounts(social.world)
    social.copies.denies = True

    page = social.sign_in()

    said = "user_cancelled_authorize" if kind == APPLE else "access_denied"
    assert (page.status, heading(page)) == (403, "You were not signed in")
    assert page.link("Start again").startswith(f"{social.world.base}/login?")
    assert refusals(social.world, kind) == [{"check": "login_denied", "said": said}]
    assert accounts(social.world) == before


@pytest.mark.parametrize("kind", [APPLE])
def test_apples_name_comes_once_and_stays(social: Social, kind: str) -> None:
    named = Sent(social.world, social.app, kind)
    first = social.claims(named.post())
    social.copies.claims = {"email": "x8@privaterelay.appleid.com"}
    unnamed = Sent(social.world, social.app, kind)

    again = social.claims(unnamed.post())

    assert ("user" in named.answer, "user" in unnamed.answer) == (True, False)
    assert again["sub"] == first["sub"]
    kept = social.attributes(first["cognito:username"])
    assert (kept["given_name"], kept["family_name"]) == ("Ada", "Lovelace")
    # The address beside the name is nobody's word: only the ID token's counts, the first time and now.
    assert (first["email"], kept["email"]) == ("x7@privaterelay.appleid.com", "x8@privaterelay.appleid.com")


@pytest.mark.parametrize("kind", [FACEBOOK])
def test_who_shows_facebook_no_address_has_none(social: Social, kind: str) -> None:
    social.copies.person = {"email": None}

    told = social.claims(social.sign_in())

    assert "email" not in told
    assert {"email", "email_verified"}.isdisjoint(social.attributes(told["cognito:username"]))


@pytest.mark.parametrize("kind", [FACEBOOK])
def test_where_everybody_has_an_address_it_is_asked_for(beside: tuple[Live, SocialProviders], kind: str) -> None:
    live, copies = beside
    copies.denies, copies.claims, copies.person = False, {}, {"email": None}
    social = Social(live, copies, kind, Schema=[{"Name": "email", "Required": True, "Mutable": True}])
    sent = Sent(social.world, social.app, kind)

    page = sent.back()
    assert page.path.startswith("/login/join")
    told = social.claims(sent.visitor.submit(email="ada@typed.example"))

    kept = social.attributes(told["cognito:username"])
    assert (kept["email"], kept.get("email_verified", "false")) == ("ada@typed.example", "false")
