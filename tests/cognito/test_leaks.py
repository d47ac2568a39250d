"""What passes over the wire and must not stay: no secret of a person is in a log."""

from __future__ import annotations

import secrets

from tests.cognito.conftest import FLOWS, Authenticator, World
from tests.live import Live
from tests.srp_client import Client


def test_no_secret_is_logged(live: Live) -> None:
    world = World(live, client={"ExplicitAuthFlows": [*FLOWS, "ALLOW_USER_SRP_AUTH"]})
    world.mfa("OPTIONAL")
    client = world.new_client(GenerateSecret=True)
    first, second, third = (f"Secret-{secrets.token_hex(8)}-Z" for _ in range(3))
    name = f"leaky-{secrets.token_hex(4)}"
    email = [{"Name": "email", "Value": f"{name}@example.com"}]

    world.anyone.sign_up(ClientId=world.client_id, Username=name, Password=first, UserAttributes=email)
    code = world.code(f"{name}@example.com")
    world.anyone.confirm_sign_up(ClientId=world.client_id, Username=name, ConfirmationCode=code)
    tokens = world.tokens(name, first)
    world.anyone.change_password(AccessToken=tokens["AccessToken"], PreviousPassword=first, ProposedPassword=second)
    world.idp.admin_set_user_password(UserPoolId=world.pool_id, Username=name, Password=third, Permanent=True)
    seed = world.anyone.associate_software_token(AccessToken=tokens["AccessToken"])["SecretCode"]
    world.anyone.verify_software_token(AccessToken=tokens["AccessToken"], UserCode=Authenticator(seed).code())
    world.refresh(tokens["RefreshToken"])
    by_srp = {"ClientId": world.client_id, "AuthFlow": "USER_SRP_AUTH"}
    exchange = Client(third)
    asked = world.anyone.initiate_auth(**by_srp, AuthParameters={"USERNAME": name, "SRP_A": f"{exchange.public:x}"})
    claim = exchange.answer(world.pool_id, asked["ChallengeParameters"])
    again = world.anyone.respond_to_auth_challenge(
        ClientId=world.client_id, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=claim
    )["AuthenticationResult"]
    renewed = world.anyone.get_tokens_from_refresh_token(ClientId=world.client_id, RefreshToken=again["RefreshToken"])[
        "AuthenticationResult"
    ]
    for wrong in (first, second):
        try:
            world.sign_in(name, wrong)
        except world.anyone.exceptions.NotAuthorizedException:
            continue
        raise AssertionError("an old password signs in")

    said = live.log("web") + live.log("worker")
    assert "pools.tasks.deliver" in said  # the logs were read
    kept = [first, second, third, seed, client["ClientSecret"], live.access_key[1]]
    kept += [tokens[name] for name in ("AccessToken", "IdToken", "RefreshToken")]
    kept += [asked["Session"], claim["PASSWORD_CLAIM_SECRET_BLOCK"], claim["PASSWORD_CLAIM_SIGNATURE"]]
    kept += [f"{exchange.public:x}", again["RefreshToken"], renewed["AccessToken"]]
    found = [secret for secret in kept if secret in said]
    assert found == []
    assert f"{name}@example.com" not in said
