"""pycognito, as a Python program uses it: only the endpoint is ours."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pycognito import Cognito
from pycognito.exceptions import ForceChangePasswordException, SoftwareTokenMFAChallengeException

from tests.clients.conftest import MINUTES, NEW_PASSWORD, Clients
from tests.cognito.conftest import PASSWORD, refused

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(300),
    # The library asks datetime.utcnow, which Python 3.12 deprecates.
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]


def client_of(clients: Clients, app: dict[str, Any], address: str, **kept: str) -> Cognito:
    """Return the library's client, with the endpoint and nothing else of ours."""
    return Cognito(
        clients.pool_id,
        app["ClientId"],
        client_secret=app.get("ClientSecret"),
        username=address,
        boto3_client_kwargs={"endpoint_url": clients.live.base_url},
        **kept,
    )


def aged(token: str) -> str:
    """Return an access token as a program finds it that kept it for longer than it lives; nobody will believe it."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["exp"] -= (MINUTES + 1) * 60
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


@pytest.mark.parametrize("confidential", [False, True], ids=["public", "confidential"])
def test_a_program_signs_in_by_srp_stays_signed_in_and_signs_out(clients: Clients, confidential: bool) -> None:
    app, member = clients.app(confidential=confidential), clients.member(careful=True)
    address, codes = member.address, member.codes
    assert codes
    cognito = client_of(clients, app, address)

    with refused("NotAuthorizedException", "Incorrect username or password."):
        cognito.authenticate(f"{PASSWORD}?")
    with pytest.raises(SoftwareTokenMFAChallengeException):
        cognito.authenticate(PASSWORD)
    with refused("CodeMismatchException"):
        cognito.respond_to_software_token_mfa_challenge(codes.wrong())
    cognito.respond_to_software_token_mfa_challenge(codes.code())
    first, refresh_token = dict(cognito.access_claims), cognito.refresh_token
    assert cognito.get_user().email == address
    assert cognito.check_token() is False

    cognito.renew_access_token()
    renewed = dict(cognito.access_claims)
    later = client_of(
        clients, app, address, access_token=aged(cognito.access_token), refresh_token=cognito.refresh_token
    )
    assert later.check_token() is True

    lives = [first, renewed, later.access_claims]
    assert len({claims["jti"] for claims in lives}) == 3
    assert len({(claims["origin_jti"], claims["auth_time"], claims["sub"]) for claims in lives}) == 1
    assert later.refresh_token == refresh_token
    assert later.get_user().sub == first["sub"]

    later.logout()
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        cognito.get_user()
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        cognito.renew_access_token()
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        clients.anyone.get_user(AccessToken=member.elsewhere)


def test_an_invited_person_signs_in_by_srp_and_chooses_a_password(clients: Clients) -> None:
    address = clients.invited()
    cognito = client_of(clients, clients.app(), address)
    with pytest.raises(ForceChangePasswordException):
        cognito.authenticate(PASSWORD)

    cognito.new_password_challenge(PASSWORD, NEW_PASSWORD)

    assert cognito.get_user().email == address
    assert clients.user(address)["UserStatus"] == "CONFIRMED"
    assert clients.tokens(address, NEW_PASSWORD)


def test_an_app_that_rotates_refuses_the_only_refresh_it_knows_and_leaves_its_session(clients: Clients) -> None:
    cognito = client_of(clients, clients.app(rotating=True), clients.member().address)
    cognito.authenticate(PASSWORD)

    with pytest.raises(ClientError) as caught:
        cognito.renew_access_token()

    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert cognito.get_user().sub == cognito.access_claims["sub"]
