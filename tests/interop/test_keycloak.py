"""Signing in at Keycloak, with its own pages, by each algorithm that it signs by and OpenID Connect knows."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from identity.foundation.errors import LoginRefused
from pools.ports import LoginDenied, UpstreamWishes
from tests.interop.keycloak import ALGORITHMS, PASSWORD, Keycloak
from tests.interop.upstreams import Trip

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def keycloak(keycloak_server: Keycloak) -> str:
    """Return the realm's issuer."""
    return keycloak_server.issuer


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_who_signs_in_at_keycloak_comes_back(keycloak: str, alg: str) -> None:
    trip = Trip(keycloak, alg).go({"username": "ada", "password": PASSWORD})

    found = trip.finish()

    assert trip.answer["iss"] == keycloak
    assert trip.redirect.kept["tells_issuer"] == "yes"
    assert (found.claims["email"], found.claims["email_verified"]) == ("ada@id.example", True)
    assert (found.claims["given_name"], found.claims["family_name"]) == ("Ada", "Lovelace")
    assert found.authenticated_at is not None
    assert found.subject == Trip(keycloak, "RS256").go({"username": "ada", "password": PASSWORD}).finish().subject


def test_who_wants_to_sign_in_is_in_keycloaks_form(keycloak: str) -> None:
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login")

    trip = Trip(keycloak, "RS256").go({"username": "ada", "password": PASSWORD}, wishes=wishes)

    assert 'value="ada@id.example"' in trip.seen[0]
    assert trip.finish().claims["preferred_username"] == "ada"


def test_keycloak_refuses_another_secret_and_a_code_that_was_used(keycloak: str) -> None:
    typed = {"username": "ada", "password": PASSWORD}
    assert Trip(keycloak, "RS256", client_secret="another").go(typed).refused().parameters["error"] in {
        "unauthorized_client",
        "invalid_client",
    }

    twice = Trip(keycloak, "RS256").go(typed)
    twice.finish()
    refused = twice.refused()
    assert (type(refused), refused.parameters["error"]) == (LoginRefused, "invalid_grant")


def test_an_answer_of_another_realm_is_refused(keycloak: str) -> None:
    trip = Trip(keycloak, "RS256").go({"username": "ada", "password": PASSWORD})
    trip.answer["iss"] = urlsplit(keycloak)._replace(path="/realms/master").geturl()

    assert trip.refused().detail == "answer: iss is another issuer's"


def test_keycloaks_own_errors_are_told(keycloak: str) -> None:
    refused = Trip(keycloak, "RS256", authorize_scopes="openid no-such-scope").go({}).refused()

    assert not isinstance(refused, LoginDenied)
    assert refused.parameters["error"] == "invalid_scope"
