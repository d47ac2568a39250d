"""Attacks on sign-ins by identity providers that no other file of tests owns: fixation, hosts, what is gone, logs.

Others: forged tokens ``tests/federation/test_id_tokens.py``; addresses of our own network ``test_outbound.py`` beside
it; take-over by an address ``test_providers.py``; replay, mix-up and other browsers ``test_provider_faults.py``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import quote_plus

import pytest

from tests.federation.emulator import brought_back
from tests.federation.openid_provider import ACCESS, SECRET, SUBJECT, OpenIdProvider
from tests.hosted.federation import CHALLENGE
from tests.hosted.upstream import OVER, Sent, accounts, heading, openid
from tests.hosted.world import World
from tests.live import Live


@pytest.fixture(scope="module")
def world(live: Live) -> World:
    """Return a pool of its own."""
    return World(live, mfa="OFF")


@pytest.fixture
def name() -> str:
    """Return a name that no provider has yet."""
    return f"P{uuid.uuid4().hex[:12]}"


@pytest.fixture
def upstream(world: World, name: str) -> Iterator[tuple[OpenIdProvider, str]]:
    """Return a provider of that name, which knows somebody of its own, and an app whose people come by it."""
    with openid(world, name) as found:
        found[0].person["email"] = f"{name}@id.example"
        yield found


def test_a_session_of_before_is_not_the_one_that_a_provider_opens(
    world: World, name: str, upstream: tuple[OpenIdProvider, str]
) -> None:
    """Whoever planted a session, or knows the old one, has nothing of whoever signs in by a provider after it."""
    _, app = upstream
    visitor = world.visitor()
    assert visitor.sign_in(world.person()).code
    planted, form, trip = visitor.cookie(), visitor.cookie("-form"), "t" * 32
    visitor.session.cookies.set(f"cg-{world.pool_id.rpartition('_')[2]}-trip", trip, domain="localhost.local", path="/")
    thief = world.visitor()
    thief.session.cookies.set(f"cg-{world.pool_id.rpartition('_')[2]}", planted or "", domain="localhost.local")
    assert thief.open(world.url("/oauth2/authorize", code_challenge=CHALLENGE)).code

    assert Sent(world, app, name, visitor, prompt="login").back().code

    assert visitor.cookie() not in {planted, None}
    assert visitor.cookie("-form") != form
    assert thief.open(world.url("/oauth2/authorize", code_challenge=CHALLENGE)).path.startswith("/login")


def test_where_a_provider_sends_people_back_to_is_never_read_of_a_header(
    world: World, name: str, upstream: tuple[OpenIdProvider, str]
) -> None:
    _, app = upstream
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    visitor = world.visitor()
    visitor.session.headers.update(forged)
    visitor.open(world.url("/oauth2/authorize", client_id=app, identity_provider=name))

    place, _ = brought_back(visitor.here.url)

    assert place == f"{world.base}/oauth2/idpresponse"
    other = world.visitor()
    other.session.headers["Host"] = "evil.example"
    refused = other.session.get(
        world.url("/login/provider", client_id=app, identity_provider=name), allow_redirects=False, timeout=30
    )
    assert refused.status_code == 404
    assert "Location" not in refused.headers


@pytest.mark.parametrize(
    ("what", "title"),
    [
        ("the provider", OVER),
        ("its place in the app", "That way to sign in is not known here"),
        ("the app", "We don't know this app"),
    ],
)
def test_what_was_taken_away_meanwhile_lets_nobody_in(
    world: World, name: str, upstream: tuple[OpenIdProvider, str], what: str, title: str
) -> None:
    _, app = upstream
    sent, before = Sent(world, app, name), accounts(world)
    own = {"UserPoolId": world.pool_id}
    if what == "the provider":
        world.idp.delete_identity_provider(**own, ProviderName=name)
    elif what == "the app":
        world.idp.delete_user_pool_client(**own, ClientId=app)
    else:
        world.idp.update_user_pool_client(
            **own,
            ClientId=app,
            SupportedIdentityProviders=["COGNITO"],
            CallbackURLs=[world.callback],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid", "email"],
        )

    page = sent.back()

    assert (page.status, heading(page)) == (400, title)
    assert accounts(world) == before
    assert sent.visitor.cookie() is None


def test_no_log_has_what_a_sign_in_by_a_provider_keeps_secret(
    world: World, name: str, upstream: tuple[OpenIdProvider, str]
) -> None:
    provider, app = upstream
    sent = Sent(world, app, name)
    log = world.live.logs / "web.log"
    before = log.stat().st_size
    assert sent.back().code
    refused = Sent(world, app, name)
    refused.back(error="access_denied", error_description=f"{SUBJECT} of {name}@id.example may not", code="")

    said = log.read_bytes()[before:].decode(errors="replace")
    [trade] = [each for each in provider.asked if each.path == "/token"]
    secret = [SECRET, ACCESS, sent.answer["code"], sent.answer["state"], trade["code_verifier"], f"{name}@id.example"]
    assert [each for each in [*secret, SUBJECT] if each in said] == []
    assert quote_plus(SECRET) not in said
