"""aws-amplify and amazon-cognito-identity-js, as web apps use them: only the endpoint is ours."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.clients.conftest import NEW_PASSWORD, Clients, Member, in_chromium, in_node
from tests.cognito.conftest import named, refused
from tests.oidc.world import claims

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

AMPLIFY, IDENTITY_JS = "amplify", "amazon_cognito_identity"
ASKED = {AMPLIFY: "CONFIRM_SIGN_IN_WITH_TOTP_CODE", IDENTITY_JS: "SOFTWARE_TOKEN_MFA"}


@pytest.mark.parametrize(
    ("program", "rotating", "careful", "everywhere"),
    [
        pytest.param(AMPLIFY, True, True, False, id="amplify"),
        pytest.param(AMPLIFY, True, False, True, id="amplify-everywhere"),
        pytest.param(AMPLIFY, False, False, False, id="amplify-without-rotation"),
        pytest.param(IDENTITY_JS, False, True, False, id="identity-js"),
        pytest.param(IDENTITY_JS, False, False, True, id="identity-js-everywhere"),
    ],
)
def test_in_node_it_signs_in_by_srp_stays_signed_in_and_signs_out(
    node_folder: Path, clients: Clients, program: str, rotating: bool, careful: bool, everywhere: bool
) -> None:
    app, member = clients.app(rotating=rotating), clients.member(careful=careful)

    seen = in_node(node_folder, program, clients.settings(app, member, everywhere=everywhere))

    assert_lived(clients, member, seen, asked=ASKED[program] if careful else "DONE")
    assert_one_session(seen["tokens"], rotating=rotating)
    assert_over(clients, app, member, seen, everywhere=everywhere)


@pytest.mark.parametrize(
    ("program", "asked"),
    [(AMPLIFY, "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED"), (IDENTITY_JS, "NEW_PASSWORD_REQUIRED")],
)
def test_an_invited_person_signs_in_by_srp_and_chooses_a_password(
    node_folder: Path, clients: Clients, program: str, asked: str
) -> None:
    address = clients.invited()

    seen = in_node(node_folder, program, clients.settings(clients.app(), Member(address)), "accept_invitation")

    user = clients.user(address)
    sub = named(user["UserAttributes"])["sub"]
    assert (seen["asked"], seen["signed_in"]) == (asked, True)
    assert (seen["user"]["username"], seen["user"]["userId"]) == (user["Username"], sub)
    assert user["UserStatus"] == "CONFIRMED"
    if program == IDENTITY_JS:
        assert (seen["known"]["email"], seen["required"]) == (address, [])
    assert clients.tokens(address, NEW_PASSWORD)


@pytest.mark.browser
@pytest.mark.parametrize(("program", "rotating"), [(AMPLIFY, True), (IDENTITY_JS, False)])
def test_in_a_browser_it_does_so_from_another_origin(
    node_folder: Path, browser: Browser, clients: Clients, origin: str, program: str, rotating: bool
) -> None:
    app, member = clients.app(rotating=rotating), clients.member(careful=True)

    seen = in_chromium(node_folder, program, clients.settings(app, member), browser, origin)

    assert_lived(clients, member, seen, asked=ASKED[program])
    assert_one_session(seen["tokens"], rotating=rotating)
    assert_over(clients, app, member, seen, everywhere=False)


def assert_lived(clients: Clients, member: Member, seen: dict[str, Any], *, asked: str) -> None:
    """Expect that somebody came in past refusals, and was told who they are."""
    user = clients.user(member.address)
    sub = named(user["UserAttributes"])["sub"]
    wrong = {"name": "NotAuthorizedException", "message": "Incorrect username or password."}
    assert seen["refusals"].pop("password") == wrong
    assert [refusal["name"] for refusal in seen["refusals"].values()] == ["CodeMismatchException"] * (asked != "DONE")
    assert (seen["asked"], seen["signed_in"]) == (asked, True)
    assert (seen["user"]["username"], seen["user"]["userId"]) == (user["Username"], sub)
    assert seen["attributes"] == {"sub": sub, "email": member.address, "email_verified": "true"}


def assert_one_session(tokens: dict[str, dict[str, str]], *, rotating: bool) -> None:
    """Expect new tokens at each refresh that all continue one sign-in, and the refresh tokens that are due."""
    lives = [claims(stage["access"]) for stage in tokens.values()]
    assert len({life["jti"] for life in lives}) == len(tokens)
    assert len({(life["origin_jti"], life["auth_time"], life["sub"]) for life in lives}) == 1
    refresh = {stage: kept["refresh"] for stage, kept in tokens.items()}
    if rotating:
        assert refresh["forced"] == refresh["other_tab"]
        assert len(set(refresh.values())) == len(refresh) - 1
    else:
        assert len(set(refresh.values())) == 1


def assert_over(
    clients: Clients, app: dict[str, Any], member: Member, seen: dict[str, Any], *, everywhere: bool
) -> None:
    """Expect that nothing the app had is left or good for anything, and that other sessions ended only where asked."""
    assert seen["signed_out"] is True
    assert not [key for key in seen["kept"] if key.endswith(("accessToken", "idToken", "refreshToken"))]
    newest = seen["tokens"]["after_expiry"]
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        clients.anyone.get_user(AccessToken=newest["access"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        clients.anyone.get_tokens_from_refresh_token(ClientId=app["ClientId"], RefreshToken=newest["refresh"])
    with refused("NotAuthorizedException", "Access Token has been revoked") if everywhere else nullcontext():
        clients.anyone.get_user(AccessToken=member.elsewhere)
