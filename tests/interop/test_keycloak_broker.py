"""Signing in to applications behind Keycloak, which has a pool as an identity provider by SAML, and out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.hosted.upstream import heading
from tests.hosted.world import CALLBACK, TIMEOUT, Page
from tests.interop.applications import Browser, Employer, rename
from tests.interop.keycloak import Keycloak
from tests.interop.organisations import is_encrypted
from tests.live import Live
from tests.oidc.world import claims

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

HOW = ("plain", "encrypted")
WANTS = {"wantAuthnRequestsSigned": "true", "wantAssertionsSigned": "true"}
CLIENT, ALIAS = "app", "pool"
TOLD, SET = "saml-user-attribute-idp-mapper", "hardcoded-attribute-idp-mapper"
MAPPERS: dict[str, tuple[str, dict[str, str]]] = {
    "email": (TOLD, {"attribute.name": "mail", "user.attribute": "email"}),
    "first name": (SET, {"attribute": "firstName", "attribute.value": "Ada"}),
    "last name": (SET, {"attribute": "lastName", "attribute.value": "Lovelace"}),
}
"""How it comes to know of people what it would ask them for."""


class Broker:
    """A realm whose people come from a pool, and an app of OpenID Connect that they sign in to."""

    def __init__(self, server: Keycloak, employer: Employer, *, encrypts: bool) -> None:
        """Make the realm, and register it at the pool."""
        self.server, self.employer = server, employer
        self.realm = employer.world.pool_id
        self.issuer = f"{server.base}/realms/{self.realm}"
        client = {
            "clientId": CLIENT,
            "publicClient": True,
            "redirectUris": [CALLBACK],
            "attributes": {"post.logout.redirect.uris": CALLBACK},
        }
        server.admin(
            "POST", "", json={"realm": self.realm, "enabled": True, "sslRequired": "none", "clients": [client]}
        )
        asked = {"providerId": "saml", "fromUrl": employer.metadata_url}
        config = server.admin("POST", f"/{self.realm}/identity-provider/import-config", json=asked).json()
        more = {"wantAssertionsEncrypted": str(encrypts).lower()}
        provider = {"alias": ALIAS, "providerId": "saml", "enabled": True, "config": {**config, **WANTS, **more}}
        server.admin("POST", f"/{self.realm}/identity-provider/instances", json=provider)
        for name, (kind, how) in MAPPERS.items():
            mapper = {"name": name, "identityProviderAlias": ALIAS, "identityProviderMapper": kind, "config": how}
            server.admin("POST", f"/{self.realm}/identity-provider/instances/{ALIAS}/mappers", json=mapper)
        told = requests.get(f"{self.issuer}/broker/{ALIAS}/endpoint/descriptor", timeout=TIMEOUT)
        employer.register(told.content, encrypts=encrypts)

    def depart(self, browser: Browser) -> Page:
        """Go to the app's sign-in, which leads to the pool at once."""
        asked = {
            "client_id": CLIENT,
            "response_type": "code",
            "scope": "openid email",
            "redirect_uri": CALLBACK,
            "kc_idp_hint": ALIAS,
        }
        return browser.open(f"{self.issuer}/protocol/openid-connect/auth?{urlencode(asked)}")

    def sign_in(self, browser: Browser, name: str) -> None:
        """Have somebody sign in to the app."""
        self.depart(browser)
        self.employer.sign_in(browser, name)
        assert browser.here.url.startswith(CALLBACK), browser.here.text

    def tokens(self, page: Page) -> dict[str, Any]:
        """Trade the code of a page for tokens."""
        given = {
            "grant_type": "authorization_code",
            "client_id": CLIENT,
            "code": page.code,
            "redirect_uri": CALLBACK,
        }
        answer = requests.post(f"{self.issuer}/protocol/openid-connect/token", data=given, timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sign_out(self, browser: Browser, tokens: Mapping[str, str]) -> Page:
        """Sign out of the app, and so of the realm."""
        asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": CALLBACK}
        return browser.open(f"{self.issuer}/protocol/openid-connect/logout?{urlencode(asked)}")


@pytest.fixture(scope="module")
def brokers(live: Live, keycloak_server: Keycloak) -> dict[str, Broker]:
    """Return realms by how they have assertions."""
    return {how: Broker(keycloak_server, Employer(live), encrypts=how == "encrypted") for how in HOW}


@pytest.mark.parametrize("how", HOW)
def test_who_signs_in_is_the_same_person_each_time(brokers: dict[str, Broker], how: str) -> None:
    broker = brokers[how]
    name, found = broker.employer.person(), []

    for browser in (broker.employer.browser(), broker.employer.browser()):
        broker.sign_in(browser, name)
        assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == (how == "encrypted")
        found.append(claims(broker.tokens(browser.here)["id_token"]))

    assert [each["email"] for each in found] == [f"{name}@example.org"] * 2
    assert found[0]["sub"] == found[1]["sub"]
    assert len(found[0]["preferred_username"]) == 64


def test_it_takes_nothing_that_was_edited(brokers: dict[str, Broker]) -> None:
    broker = brokers["plain"]
    browser = broker.employer.browser(rename)
    broker.depart(browser)

    page = broker.employer.sign_in(browser, broker.employer.person())

    assert page.status == 400
    assert page.url.startswith(broker.issuer)


@pytest.mark.parametrize("how", HOW)
def test_who_signs_out_there_is_signed_out_here(brokers: dict[str, Broker], how: str) -> None:
    broker = brokers[how]
    browser, elsewhere, name = broker.employer.browser(), broker.employer.browser(), broker.employer.person()
    for each in (elsewhere, browser):
        broker.sign_in(each, name)

    page = broker.sign_out(browser, broker.tokens(browser.here))

    assert page.url.startswith(CALLBACK)
    assert not broker.employer.knows(browser)
    assert broker.employer.knows(elsewhere)


@pytest.mark.parametrize("how", HOW)
def test_who_signs_out_here_is_signed_out_there(brokers: dict[str, Broker], how: str) -> None:
    broker = brokers[how]
    browser = broker.employer.browser()
    broker.sign_in(browser, broker.employer.person())
    assert broker.depart(browser).code

    page = broker.employer.sign_out(browser)

    assert heading(page) == "You are signed out"
    assert heading(broker.depart(browser)) == "Sign in"
