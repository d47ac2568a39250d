"""aws-amplify and amazon-cognito-identity-js, as a web app uses them: only the endpoint is ours."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from tests.clients.conftest import Clients
from tests.cognito.conftest import refused

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

AMPLIFY, IDENTITY_JS = "amplify.mjs", "amazon_cognito_identity.mjs"
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
def test_a_web_app_signs_in_by_srp_stays_signed_in_and_signs_out(
    clients: Clients, node_folder: Path, program: str, rotating: bool, careful: bool, everywhere: bool
) -> None:
    app = clients.app(rotating=rotating)["ClientId"]
    address, codes = clients.careful_member() if careful else (clients.member(), None)
    user = clients.user(address)

    seen = clients.run(
        program,
        node_folder,
        client_id=app,
        username=address,
        everywhere=everywhere,
        **({"code": codes.code(), "wrong_code": codes.wrong()} if codes else {}),
    )

    assert seen["refusals"]["password"] == {
        "name": "NotAuthorizedException",
        "message": "Incorrect username or password.",
    }
    assert seen["asked"] == (ASKED[program] if careful else "DONE")
    if careful:
        assert seen["refusals"]["code"]["name"] == "CodeMismatchException"
    assert seen["signed_in"] is True
    sub = next(item["Value"] for item in user["UserAttributes"] if item["Name"] == "sub")
    assert seen["user"]["username"] == user["Username"]
    assert seen["user"]["userId"] == sub
    assert seen["attributes"] == {"sub": sub, "email": address, "email_verified": "true"}
    assert_one_session(seen["tokens"], rotating=rotating)
    assert seen["signed_out"] is True
    assert not [key for key in seen["kept"] if key.endswith(("accessToken", "idToken", "refreshToken"))]
    with refused("NotAuthorizedException"):
        clients.anyone.get_user(AccessToken=seen["tokens"]["after_expiry"]["access"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        clients.anyone.get_tokens_from_refresh_token(
            ClientId=app, RefreshToken=seen["tokens"]["after_expiry"]["refresh"]
        )


def assert_one_session(tokens: dict[str, dict[str, str]], *, rotating: bool) -> None:
    """Expect new tokens at each refresh that all continue one sign-in, and the refresh tokens that are due."""
    claims = [jwt.decode(stage["access"], options={"verify_signature": False}) for stage in tokens.values()]
    assert len({claim["jti"] for claim in claims}) == len(tokens)
    assert len({(claim["origin_jti"], claim["auth_time"], claim["sub"]) for claim in claims}) == 1
    refresh = {stage: kept["refresh"] for stage, kept in tokens.items()}
    if rotating:
        # A tab that lost the race with another is given the same successor.
        assert refresh["forced"] == refresh["other_tab"]
        assert len(set(refresh.values())) == len(refresh) - 1
    else:
        assert len(set(refresh.values())) == 1
