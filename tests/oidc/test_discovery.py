"""Discovery and keys: what others learn of us, and that no header changes it."""

from __future__ import annotations

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.live import Live
from tests.oidc.world import CALLBACK, World, target


def test_the_discovery_document_names_what_answers(world: World) -> None:
    answer = requests.get(f"{world.issuer}/.well-known/openid-configuration", timeout=20)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"].startswith("public")
    document = answer.json()
    assert document["issuer"] == world.issuer
    for name in (
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
        "jwks_uri",
    ):
        assert document[name].startswith(world.issuer + "/")
        assert requests.get(document[name], allow_redirects=False, timeout=20).status_code not in {404, 500}
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]


def test_the_published_keys_verify_what_is_signed_and_hold_nothing_private(world: World) -> None:
    answer = requests.get(f"{world.issuer}/.well-known/jwks.json", timeout=20)
    issued = world.tokens()

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    keys = answer.json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) == 2
    for key in keys:
        assert set(key) == {"alg", "e", "kid", "kty", "n", "use"}
    for token in (issued["id_token"], issued["access_token"]):
        assert (
            jwt.decode(token, KeySet.import_key_set(answer.json()), algorithms=["RS256"]).claims["sub"] == world.ann.sub
        )


def test_the_identity_pools_have_an_issuer_of_their_own(live: Live) -> None:
    issuer = f"{live.base_url}/identity-pools"

    document = requests.get(f"{issuer}/.well-known/openid-configuration", allow_redirects=False, timeout=20)
    keys = requests.get(document.json()["jwks_uri"], allow_redirects=False, timeout=20)

    assert document.status_code == keys.status_code == 200
    assert document.json()["issuer"] == issuer
    assert keys.json()["keys"]
    assert all("x5c" in key and "d" not in key for key in keys.json()["keys"])
    assert keys.headers["Access-Control-Allow-Origin"] == "*"
    assert requests.post(document.json()["jwks_uri"], timeout=20).status_code == 405


PATHS = ["/.well-known/openid-configuration", "/.well-known/jwks.json"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "444"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Original-Host": "evil.example", "X-Host": "evil.example", "X-Forwarded-Server": "evil.example"},
        {"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil", "X-Original-URL": "/evil"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_no_header_changes_what_is_published_issued_or_where_a_browser_goes(
    world: World, path: str, headers: dict[str, str]
) -> None:
    plain = requests.get(world.issuer + path, timeout=20)

    told = requests.get(world.issuer + path, headers=headers, timeout=20)
    browser = world.browser()
    browser.session.headers.update(headers)
    moved = browser.authorize(world.public)
    refused = browser.authorize(world.public, redirect_uri="https://evil.example")

    assert told.content == plain.content
    assert target(moved) == f"/{world.pool_id}/login"
    assert target(refused) == f"/{world.pool_id}/error"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example@localhost", "", "localhost:1"]
)
def test_an_unknown_host_gets_nothing(world: World, host: str) -> None:
    for path in (*PATHS, "/oauth2/authorize", "/oauth2/token", "/logout"):
        answer = requests.get(world.issuer + path, headers={"Host": host}, allow_redirects=False, timeout=20)

        assert answer.status_code in {400, 404}
        assert "evil.example" not in answer.headers.get("Location", "")


def test_the_issuer_in_tokens_and_redirects_is_the_configured_one(world: World) -> None:
    port = world.live.port
    url = f"http://127.0.0.1:{port}/{world.pool_id}"
    browser = world.browser(world.ann)
    name, value = browser.session.cookies.items()[0]

    answer = requests.get(
        f"{url}/oauth2/authorize",
        {"client_id": world.public.id, "redirect_uri": CALLBACK, "response_type": "code"},
        headers={"Cookie": f"{name}={value}"},
        allow_redirects=False,
        timeout=20,
    )
    document = requests.get(f"{url}/.well-known/openid-configuration", timeout=20)

    assert f"iss={world.issuer.replace(':', '%3A').replace('/', '%2F')}" in answer.headers["Location"].replace(
        "/", "%2F"
    )
    assert document.json()["issuer"] == world.issuer


@pytest.mark.parametrize("path", PATHS)
def test_a_pool_that_does_not_exist_publishes_nothing(world: World, path: str) -> None:
    answer = requests.get(f"{world.live.base_url}/us-east-1_Nowhere00{path}", timeout=20)

    assert answer.status_code == 404
    assert answer.json()["error"] == "invalid_request"
