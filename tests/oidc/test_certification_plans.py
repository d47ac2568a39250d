"""The OpenID Foundation's plans for providers, module by module, asked of a strict app that was registered by hand.

The plans of conformance suite 5: basic (``oidcc-basic-certification-test-plan``) and config; that of RP-initiated
logout is ``test_certification_logout``. The suite itself is Java and does not run here: each module sends what it
sends, and :mod:`tests.oidc.party` checks what it counts as a failure. A module that the suite leaves out, or skips, is
held to what makes it do so.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import time

import pytest
import requests

from tests.oidc.party import NEEDS_A_PAGE, Party, Signed, unsigned
from tests.oidc.world import CALLBACK, FULL, Browser, Proof, claims

Module = Callable[[Party], None]


# -- basic


def server(party: Party, method: str = "GET", **beside: str) -> None:
    """Sign in over the pages; ``beside`` is what a provider may ignore."""
    asked = party.request(**beside)
    party.finished(party.signs_in(party.world.browser(), asked, method=method), asked)


def client_secret_post(party: Party) -> None:
    """Prove the app by the form."""
    asked = party.request()
    assert {"client_secret_basic", "client_secret_post"} <= set(party.document["token_endpoint_auth_methods_supported"])
    party.finished(party.silently(party.signed_in(), asked), asked, by_form=True)


def response_type_missing(party: Party) -> None:
    """Be told of a missing response_type."""
    asked = party.request(response_type=None)
    party.is_refused(party.sent(party.signed_in(), asked), asked, {"invalid_request", "unsupported_response_type"})


def id_token_signature(party: Party) -> None:
    """Left out: the suite would register an app without a word of algorithms. RS256 is what all get."""
    party.once()


def id_token_unsigned(party: Party) -> None:
    """Left out, and skipped where nobody offers it."""
    assert party.document["id_token_signing_alg_values_supported"] == ["RS256"]


def user_info(party: Party, way: str) -> None:
    """Ask userInfo in a way of its own."""
    party.user_info(party.once(), way)


def without_nonce(party: Party) -> None:
    """Send no nonce, and get none."""
    party.once(nonce=None)


PROFILE = {"given_name", *FULL} - {"phone_number", "phone_number_verified", "address"}


def scope(party: Party, asked: str, wanted: set[str]) -> None:
    """Ask for a scope that is offered, and get its claims."""
    assert set(asked.split()) <= set(party.document["scopes_supported"])
    assert party.user_info(party.once(scope=asked)).keys() >= wanted


def scope_address(party: Party) -> None:
    """Skipped, since Cognito has no such scope; the claim itself comes with the profile."""
    assert "address" not in party.document["scopes_supported"]
    assert party.user_info(party.once(scope="openid profile"))["address"] == {"formatted": FULL["address"]}


def again(party: Party, browser: Browser, first: Signed, **asked: str) -> Signed:
    """Sign in once more without any page: as the same person, at the same moment."""
    given = party.request(**asked)
    second = party.finished(party.silently(browser, given), given)
    assert [second.told[name] for name in ("sub", "auth_time")] == [first.told[name] for name in ("sub", "auth_time")]
    return second


def signs_in_anew(party: Party, **asked: str) -> None:
    """Be asked for the password although the browser is signed in, and have that moment in the ID token."""
    browser = party.signed_in(ago=10)
    first = party.once(browser)
    given = party.request(**asked)
    second = party.finished(party.signs_in(browser, given), given)
    assert second.told["auth_time"] > first.told["auth_time"]
    assert abs(second.told["auth_time"] - time()) < 60


def prompt_none_not_logged_in(party: Party) -> None:
    """Be told that no page may be shown."""
    asked = party.request(prompt="none")
    party.is_refused(party.sent(party.world.browser(), asked), asked, NEEDS_A_PAGE)


def prompt_none_logged_in(party: Party) -> None:
    """See no page."""
    browser = party.signed_in(ago=10)
    again(party, browser, party.once(browser), prompt="none")


def max_age_10000(party: Party) -> None:
    """See no page for a session that is young enough."""
    browser = party.signed_in(ago=9000)
    again(party, browser, party.once(browser, max_age="15000"), max_age="10000")


def id_token_hint(party: Party) -> None:
    """Name the person by the first ID token."""
    browser = party.signed_in(ago=10)
    first = party.once(browser)
    again(party, browser, first, prompt="none", id_token_hint=first.issued["id_token"])


def acr_values(party: Party) -> None:
    """Ask for every level that is offered, and be told one of them (a warning otherwise)."""
    offered = party.document["acr_values_supported"]
    assert party.once(acr_values=" ".join(offered)).told["acr"] in offered


def code_reuse(party: Party, after: int = 0) -> None:
    """Redeem a code twice, after some seconds; what the first use gave is dead (a warning otherwise)."""
    from identity.foundation import sealing
    from pools.models import AuthorizationCode

    asked = party.request()
    code = party.silently(party.signed_in(), asked)
    first = party.finished(code, asked)
    with party.world.live.orm():
        row = AuthorizationCode.objects.get(hashed=sealing.keyed_hash("authorization_code", code))
        AuthorizationCode.objects.filter(pk=row.pk).update(expires_at=row.expires_at - timedelta(seconds=after))
    party.is_no_grant(party.token({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}))
    assert party.world.user_info(first.issued["access_token"]).status_code == 401


def registered_redirect_uri(party: Party) -> None:
    """Stay with us for an address that nobody registered."""
    asked = party.request(redirect_uri=f"{CALLBACK}/{secrets.token_hex(8)}")
    for browser in (party.world.browser(), party.signed_in()):
        party.shows_an_error(browser, party.sent(browser, asked))


def request_uri(party: Party) -> None:
    """Left out of apps registered by hand: the suite would have its own address registered."""
    given = {**party.request(state=None, nonce=None), "request_uri": "https://app.example/request"}
    party.is_refused(party.sent(party.signed_in(), given), given, {"request_uri_not_supported"})
    assert party.document["request_uri_parameter_supported"] is False


def unsigned_request_object(party: Party) -> None:
    """Be told that no request object is read; whoever ignored it would lose the state in it."""
    given = {**party.request(state=None, nonce=None), "request": unsigned(party.request())}
    party.is_refused(party.sent(party.signed_in(), given), given, {"request_not_supported"})
    assert party.document["request_parameter_supported"] is False


def request_object_with_redirect_uri(party: Party) -> None:
    """Have the address beside the request object looked at, where that is not read."""
    outside = party.request(state=None, nonce=None, redirect_uri=f"{CALLBACK}/{secrets.token_hex(8)}")
    browser = party.signed_in()
    party.shows_an_error(browser, party.sent(browser, {**outside, "request": unsigned(party.request())}))


def claims_essential(party: Party) -> None:
    """Ask for the name, which userInfo says (a warning otherwise)."""
    signed = party.once(claims='{"userinfo": {"name": {"essential": true}}}')
    assert party.user_info(signed)["name"] == FULL["name"]


def refreshed(party: Party, **scope: str) -> str:
    """Sign in, refresh, and return the refresh token that is good from now on."""
    first = party.once()
    used = {"grant_type": "refresh_token", "refresh_token": first.issued["refresh_token"]}
    fresh = party.issued(party.token({**used, **scope}))
    told = party.id_token(fresh, claims(fresh["id_token"]).get("nonce"))
    assert told.get("nonce") in {None, first.told["nonce"]}
    assert [told[name] for name in ("sub", "auth_time")] == [first.told[name] for name in ("sub", "auth_time")]
    assert fresh["access_token"] != first.issued["access_token"]
    assert party.world.user_info(fresh["access_token"]).status_code == 200
    return str(fresh.get("refresh_token", used["refresh_token"]))


def refresh_token(party: Party) -> None:
    """Refresh, of two apps; the refresh token of one is nothing in the other's hands."""
    other = Party(party.world, party.world.strict_app("strict too", confidential=True), party.person)
    token = refreshed(party, scope="openid")
    party.issued(party.token({"grant_type": "refresh_token", "refresh_token": token}))
    party.is_no_grant(
        party.token({"grant_type": "refresh_token", "refresh_token": refreshed(other), "scope": "openid"})
    )
    assert "refresh_token" in party.document["grant_types_supported"]


def valid_pkce(party: Party) -> None:
    """Send a challenge and its verifier."""
    proof = Proof()
    asked = party.request(**proof.challenge)
    party.finished(party.silently(party.signed_in(), asked), asked, code_verifier=proof.verifier)


BASIC: dict[str, Module] = {
    "oidcc-server": server,
    "oidcc-response-type-missing": response_type_missing,
    "oidcc-idtoken-signature": id_token_signature,
    "oidcc-idtoken-unsigned": id_token_unsigned,
    "oidcc-userinfo-get": partial(user_info, way="get"),
    "oidcc-userinfo-post-header": partial(user_info, way="post, header"),
    "oidcc-userinfo-post-body": partial(user_info, way="post, body"),
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": without_nonce,
    "oidcc-scope-profile": partial(scope, asked="openid profile", wanted=PROFILE),
    "oidcc-scope-email": partial(scope, asked="openid email", wanted={"email", "email_verified"}),
    "oidcc-scope-address": scope_address,
    "oidcc-scope-phone": partial(scope, asked="openid phone", wanted={"phone_number", "phone_number_verified"}),
    "oidcc-scope-all": partial(scope, asked="openid email phone profile", wanted={"email", "given_name", *FULL}),
    "oidcc-ensure-other-scope-order-succeeds": partial(scope, asked="email openid", wanted={"email", "email_verified"}),
    "oidcc-display-page": partial(server, display="page"),
    "oidcc-display-popup": partial(server, display="popup"),
    "oidcc-prompt-login": partial(signs_in_anew, prompt="login"),
    "oidcc-prompt-none-not-logged-in": prompt_none_not_logged_in,
    "oidcc-prompt-none-logged-in": prompt_none_logged_in,
    "oidcc-max-age-1": partial(signs_in_anew, max_age="1"),
    "oidcc-max-age-10000": max_age_10000,
    "oidcc-ensure-request-with-unknown-parameter-succeeds": partial(server, extra="foobar"),
    "oidcc-id-token-hint": id_token_hint,
    "oidcc-login-hint": partial(server, login_hint="buffy@localhost"),
    "oidcc-ui-locales": partial(server, ui_locales="se"),
    "oidcc-claims-locales": partial(server, claims_locales="se"),
    "oidcc-ensure-request-with-acr-values-succeeds": acr_values,
    "oidcc-codereuse": code_reuse,
    "oidcc-codereuse-30seconds": partial(code_reuse, after=30),
    "oidcc-ensure-registered-redirect-uri": registered_redirect_uri,
    "oidcc-ensure-post-request-succeeds": partial(server, method="POST"),
    "oidcc-server-client-secret-post": client_secret_post,
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported": request_uri,
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": unsigned_request_object,
    "oidcc-claims-essential": claims_essential,
    "oidcc-ensure-request-object-with-redirect-uri": request_object_with_redirect_uri,
    "oidcc-refresh-token": refresh_token,
    "oidcc-ensure-request-with-valid-pkce-succeeds": valid_pkce,
}
"""Of these 38 the suite runs 35 for an app registered by hand."""


@pytest.mark.parametrize("module", BASIC)
def test_a_module_of_the_basic_plan_finds_no_failure(party: Party, module: str) -> None:
    BASIC[module](party)


# -- config

ARRAYS = {
    "response_types_supported": "code",
    "grant_types_supported": "authorization_code",
    "subject_types_supported": "public",
    "id_token_signing_alg_values_supported": "RS256",
    "scopes_supported": "openid",
    "claims_supported": "sub",
    "code_challenge_methods_supported": "S256",
}
ENDPOINTS = {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"}


def test_the_config_plan_finds_no_failure(party: Party) -> None:
    address = f"{party.world.issuer}/.well-known/openid-configuration"
    answer = requests.get(address, allow_redirects=False, timeout=20)
    found = answer.json()

    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "application/json")
    assert found["issuer"] == address.removesuffix("/.well-known/openid-configuration")
    for name, wanted in ARRAYS.items():
        assert isinstance(found[name], list), name
        assert wanted in found[name], name
    assert all(re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", scope) for scope in found["scopes_supported"])
    # Of the issuer's own scheme: https wherever BASE_URL is.
    endpoints = {name: url for name, url in found.items() if name.endswith(("_endpoint", "_uri"))}
    assert endpoints.keys() >= ENDPOINTS
    assert all(url.startswith(f"{found['issuer']}/") for url in endpoints.values())
    keys = requests.get(found["jwks_uri"], timeout=20).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) > 0
    for key in keys:
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        assert re.fullmatch(r"[\w-]{342,}", key["n"], re.ASCII)
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & key.keys()
