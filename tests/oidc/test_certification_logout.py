"""The OpenID Foundation's plan for RP-initiated logout, module by module, asked of a strict app.

The plan is ``oidcc-rp-initiated-logout-certification-test-plan`` of conformance suite 5, held as those of
``test_certification_plans`` are. Where the suite wants an error or a question, and a picture of it, our page is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial

import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from tests.oidc.party import Party, unsigned
from tests.oidc.world import AFTER_LOGOUT, Browser

OUT = "You are signed out"


def logged_in(party: Party) -> tuple[Browser, dict[str, str]]:
    """Sign in, and return the browser with the logout request that is right."""
    browser = party.signed_in()
    hint = party.once(browser).issued["id_token"]
    state = secrets.token_urlsafe(96)
    return browser, {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT, "state": state}


def end_session_endpoint(party: Party) -> None:
    """Find the endpoint."""
    assert party.document["end_session_endpoint"].startswith(f"{party.document['issuer']}/")


def logout(party: Party, *, without: str = "") -> None:
    """Be led back with the state, signed out."""
    browser, asked = logged_in(party)
    asked.pop(without, None)

    left = party.leaves(browser, **asked)

    state = f"?state={asked['state']}" if "state" in asked else ""
    assert left.headers["Location"] == AFTER_LOGOUT + state
    party.is_out(browser)


def logout_refused(party: Party, **wrong: str | None) -> None:
    """Stay with us, signed in, at a page that says what is wrong. None leaves a parameter out."""
    browser, asked = logged_in(party)
    given = {name: value for name, value in {**asked, **wrong}.items() if value is not None}

    page = party.leaves(browser, **given)

    party.shows_an_error(browser, page.url)
    assert browser.is_signed_in


def fake_hint(party: Party) -> None:
    """Show an ID token that the app itself signed: as the suite makes it, and as ours are, by the name of our key."""
    ours = party.once()
    its_own = {"iss": party.app.id, "aud": party.document["issuer"], "sub": "SubjectID", "exp": ours.told["exp"]}
    header, key = jws.extract_compact(ours.issued["id_token"].encode()).headers(), RSAKey.generate_key(2048)
    for told in (its_own, ours.told):
        logout_refused(party, id_token_hint=jwt.encode(header, told, key))


def modified_hint(party: Party) -> None:
    """Show an ID token whose signature was taken away."""
    logout_refused(party, id_token_hint=unsigned(party.once().told))


def logout_without_hint(party: Party, *kept: str) -> None:
    """Be asked, then be told to be signed out."""
    browser, asked = logged_in(party)
    page = party.leaves(browser, **{name: asked[name] for name in kept})
    assert (page.status_code, "Sign out?" in page.text) == (200, True)

    end = party.confirms(browser, page)

    assert (end.status_code, OUT in end.text) == (200, True)
    party.is_out(browser)


def logout_to_nowhere(party: Party) -> None:
    """Be told to be signed out, where the request names no address."""
    browser, asked = logged_in(party)
    del asked["post_logout_redirect_uri"]

    end = party.leaves(browser, **asked)

    assert (end.status_code, OUT in end.text) == (200, True)
    party.is_out(browser)


OTHER = f"{AFTER_LOGOUT}/{secrets.token_hex(4)}"
LOGOUT: dict[str, Callable[[Party], None]] = {
    "oidcc-rp-initiated-logout-discovery-endpoint-verification": end_session_endpoint,
    "oidcc-rp-initiated-logout": logout,
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": partial(logout_refused, post_logout_redirect_uri=OTHER),
    "oidcc-rp-initiated-logout-modified-id-token-hint": modified_hint,
    "oidcc-rp-initiated-logout-no-id-token-hint": partial(logout_refused, id_token_hint=None),
    "oidcc-rp-initiated-logout-no-params": logout_without_hint,
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": logout_to_nowhere,
    "oidcc-rp-initiated-logout-no-state": partial(logout, without="state"),
    "oidcc-rp-initiated-logout-only-state": lambda party: logout_without_hint(party, "state"),
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": partial(
        logout_refused, post_logout_redirect_uri=f"{AFTER_LOGOUT}?foo=bar"
    ),
    "oidcc-rp-initiated-logout-bad-id-token-hint": fake_hint,
}


@pytest.mark.parametrize("module", LOGOUT)
def test_a_module_of_the_logout_plan_finds_no_failure(party: Party, module: str) -> None:
    LOGOUT[module](party)
