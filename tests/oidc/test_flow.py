"""The whole way by Authlib's client: hosted pages, code, tokens, userInfo, refresh, revocation, logout."""

from __future__ import annotations

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.oidc import pages
from tests.oidc.world import AFTER_LOGOUT, CALLBACK, App, Browser, World, said, target


@pytest.fixture(params=["public", "confidential, header", "confidential, form", "strict", "strict public"])
def party(request: pytest.FixtureRequest, world: World) -> tuple[App, str]:
    """Return a client and how it proves itself."""
    kinds = {
        "public": (world.public, "none"),
        "confidential, header": (world.confidential, "client_secret_basic"),
        "confidential, form": (world.confidential, "client_secret_post"),
        "strict": (world.strict, "client_secret_basic"),
        "strict public": (world.strict_public, "none"),
    }
    return kinds[request.param]


def test_a_relying_party_signs_somebody_in_and_out(world: World, party: tuple[App, str]) -> None:
    app, proof = party
    document = requests.get(f"{world.issuer}/.well-known/openid-configuration", timeout=20).json()
    verifier = "v" * 64
    with OAuth2Session(
        app.id,
        app.secret,
        token_endpoint_auth_method=proof,
        scope="openid email profile",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=document["token_endpoint"],
        revocation_endpoint_auth_method=proof,
    ) as rp:
        url, state = rp.create_authorization_url(
            document["authorization_endpoint"], code_verifier=verifier, nonce="once", login_hint=world.ann.email
        )
        browser = requests.Session()

        returned = pages.sign_in(browser, url, world.ann.email, until=CALLBACK)
        issued = rp.fetch_token(
            document["token_endpoint"], authorization_response=returned, state=state, code_verifier=verifier
        )

        keys = KeySet.import_key_set(requests.get(document["jwks_uri"], timeout=20).json())
        told = jwt.decode(issued["id_token"], keys, algorithms=["RS256"]).claims
        assert (told["iss"], told["aud"], told["nonce"]) == (world.issuer, app.id, "once")
        assert rp.get(document["userinfo_endpoint"], timeout=20).json()["email"] == world.ann.email

        fresh = rp.refresh_token(document["token_endpoint"], issued["refresh_token"])
        assert fresh["access_token"] != issued["access_token"]
        assert rp.get(document["userinfo_endpoint"], timeout=20).status_code == 200

        revoked = rp.revoke_token(document["revocation_endpoint"], issued["refresh_token"])
        assert revoked.status_code == 200
        assert world.user_info(fresh["access_token"]).status_code == 401

        out = browser.get(
            document["end_session_endpoint"],
            params={"id_token_hint": issued["id_token"], "post_logout_redirect_uri": AFTER_LOGOUT},
            allow_redirects=False,
            timeout=20,
        )
        assert out.headers["Location"] == AFTER_LOGOUT
        again = browser.get(url, allow_redirects=False, timeout=20)
        assert target(again) == f"/{world.pool_id}/login"


def test_one_sign_in_serves_every_app_of_the_pool_and_no_other_pool(world: World, other_world: World) -> None:
    browser = world.browser()
    url = browser.authorize(world.public)
    pages.sign_in(browser.session, world.live.base_url + url.headers["Location"], world.ann.email, until=CALLBACK)

    silent = browser.authorize(world.confidential, prompt="none")
    elsewhere = Browser(other_world)
    elsewhere.session.cookies = browser.session.cookies

    assert "code" in said(silent)
    assert said(elsewhere.authorize(other_world.public, prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_forced_sign_in_over_the_pages_ends_at_the_app(world: World, asked: dict[str, str]) -> None:
    browser = world.browser(world.ann, signed_in_ago=10)
    to_login = browser.authorize(world.public, state="s", **asked)
    assert target(to_login) == f"/{world.pool_id}/login"

    returned = pages.sign_in(
        browser.session, world.live.base_url + to_login.headers["Location"], world.ann.email, until=CALLBACK
    )

    assert "code=" in returned
    assert "state=s" in returned


def test_a_pools_own_host_serves_the_same_pages_and_names_the_same_issuer(world: World) -> None:
    from identity.foundation.actor import Actor
    from pools.services import access
    from pools.services.pools import pool_domains

    prefix = f"oidc-{world.pool_id[-9:].lower()}"
    with world.live.orm():
        pool_domains.set_prefix(access.pool(world.pool_id), prefix, by=Actor.system())
    host = f"{prefix}.auth.localhost:{world.live.port}"

    document = requests.get(
        f"http://127.0.0.1:{world.live.port}/.well-known/openid-configuration", headers={"Host": host}, timeout=20
    )
    moved = requests.get(
        f"http://127.0.0.1:{world.live.port}/oauth2/authorize",
        {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code"},
        headers={"Host": host},
        allow_redirects=False,
        timeout=20,
    )

    assert document.json()["issuer"] == world.issuer
    assert document.json()["token_endpoint"].startswith(world.issuer)
    assert target(moved) == "/login"
