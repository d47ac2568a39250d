"""Levels of assurance by a pool's own names: which tokens tell them, of which apps, and what discovery offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pools.services import configuration
from tests.live import Live
from tests.oidc.world import CALLBACK, PASSWORD, App, Proof, World, claims, said

NAMED = {"Level1": {"AcrValue": "https://example.org/loa/password"}, "Level2": {"AcrValue": "gold"}}
ONE, TWO = "https://example.org/loa/password", "gold"
DEFAULTS = ["urn:cognito:loa:1", "urn:cognito:loa:2"]


@pytest.fixture(scope="module")
def own(live: Live) -> World:
    """Return a pool of these tests' own."""
    return World(live)


@pytest.fixture
def named(own: World) -> Iterator[World]:
    """Let the pool name its first two levels for the length of a test."""
    name(own, NAMED)
    yield own
    name(own, {})


def name(world: World, levels: dict[str, Any]) -> None:
    """Name the pool's levels; wait until every process knows."""
    world.idp.update_user_pool(UserPoolId=world.pool_id, AutoVerifiedAttributes=["email"], AcrConfiguration=levels)
    with world.live.orm():
        configuration.cache.poll(force=True)


def offered(world: World) -> list[str]:
    """Return the levels that discovery names."""
    document = requests.get(f"{world.issuer}/.well-known/openid-configuration", timeout=20).json()
    found: list[str] = document["acr_values_supported"]
    return found


def told(tokens: dict[str, Any]) -> tuple[Any, Any]:
    """Return what ID and access token say."""
    return claims(tokens["id_token"]).get("acr"), claims(tokens["access_token"]).get("acr")


def by_code(world: World, app: App, *methods: str) -> dict[str, Any]:
    """Return the tokens of a sign-in by these proofs."""
    proof = Proof()
    code = said(world.browser(world.ann, methods=methods).authorize(app, **proof.challenge))["code"]
    answer = world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=proof.verifier)
    issued: dict[str, Any] = answer.json()
    return issued


def by_api(world: World) -> tuple[Any, Any]:
    """Return what tokens say that the API gives for a password."""
    answer = world.idp.initiate_auth(
        ClientId=world.public.id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": world.ann.email, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    return claims(answer["IdToken"]).get("acr"), claims(answer["AccessToken"]).get("acr")


@pytest.mark.parametrize(("methods", "level"), [(("pwd",), ONE), (("pwd", "otp"), TWO), (("pwd", "pwd"), ONE)])
def test_where_a_level_is_named_both_tokens_of_every_app_tell_it(
    named: World, methods: tuple[str, ...], level: str
) -> None:
    for app in (named.public, named.confidential, named.strict, named.strict_public):
        issued = by_code(named, app, *methods)
        fresh = named.token(app, "refresh_token", refresh_token=issued["refresh_token"]).json()

        assert (told(issued), told(fresh)) == ((level, level), (level, level))
    assert by_api(named) == (ONE, ONE)


def test_an_app_without_a_person_tells_none(named: World) -> None:
    answer = named.token(named.machine, "client_credentials", scope="photos/read").json()

    assert "acr" not in claims(answer["access_token"])


def test_where_none_is_named_only_id_tokens_of_strict_apps_tell_cognitos_names(own: World) -> None:
    for app in (own.strict, own.strict_public):
        assert told(by_code(own, app, "pwd")) == (DEFAULTS[0], None)
        assert told(by_code(own, app, "pwd", "otp")) == (DEFAULTS[1], None)
    assert told(by_code(own, own.public, "pwd", "otp")) == (None, None)
    assert by_api(own) == (None, None)


def test_a_name_for_a_level_that_none_reaches_yet_has_the_others_told(own: World) -> None:
    name(own, {"Level4": {"AcrValue": "urn:own:vault"}})

    assert told(by_code(own, own.public, "pwd")) == (DEFAULTS[0], DEFAULTS[0])
    assert offered(own) == DEFAULTS

    name(own, {})
    assert by_api(own) == (None, None)


def test_discovery_offers_what_is_reached_by_the_pools_names(own: World) -> None:
    assert offered(own) == DEFAULTS

    name(own, NAMED)
    assert offered(own) == [ONE, TWO]

    name(own, {"Level1": {"AcrValue": "urn:cognito:loa:2"}, "Level2": {"AcrValue": "urn:cognito:loa:1"}})
    assert offered(own) == DEFAULTS[::-1]

    name(own, {})
    assert offered(own) == DEFAULTS


def test_what_was_begun_before_ends_with_the_names_of_now(own: World) -> None:
    code = own.code(own.ann, own.strict)
    family = own.tokens(own.ann, own.public)["refresh_token"]
    name(own, NAMED)

    issued = own.token(own.strict, "authorization_code", code=code, redirect_uri=CALLBACK).json()
    fresh = own.token(own.public, "refresh_token", refresh_token=family).json()

    name(own, {})
    assert (told(issued), told(fresh)) == ((ONE, ONE), (ONE, ONE))
