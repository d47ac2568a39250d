"""Tokens for a refresh token, and its end, through boto3."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from pools.models import AuditEvent
from tests.cognito.conftest import World, refused, secret_hash

ROTATING = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"], "RefreshTokenRotation": {"Feature": "ENABLED"}}
ONCE = {**ROTATING, "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
LONG = {**ROTATING, "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}}


def renewed(world: World, token: str, client_id: str = "", **more: Any) -> dict[str, Any]:
    """Ask for new tokens; return them."""
    answer = world.anyone.get_tokens_from_refresh_token(
        ClientId=client_id or world.client_id, RefreshToken=token, **more
    )
    assert answer.keys() == {"AuthenticationResult", "ResponseMetadata"}
    found: dict[str, Any] = answer["AuthenticationResult"]
    return found


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_a_refresh_token_that_stays_gives_new_tokens_of_the_same_sign_in(world: World) -> None:
    before = world.tokens(world.person())

    after = renewed(world, before["RefreshToken"], ClientMetadata={"a": "b"}, DeviceKey="us-east-1_0a-0b")

    assert after.keys() == {"AccessToken", "IdToken", "ExpiresIn", "TokenType"}
    assert (after["ExpiresIn"], after["TokenType"]) == (3600, "Bearer")
    for kind in ("AccessToken", "IdToken"):
        old, new = claims(before[kind]), claims(after[kind])
        assert old["jti"] != new["jti"]
        for kept in ("origin_jti", "auth_time", "event_id", "sub", "iss", "token_use"):
            assert old[kept] == new[kept]
    assert claims(after["AccessToken"])["scope"] == "aws.cognito.signin.user.admin"
    assert world.anyone.get_user(AccessToken=after["AccessToken"])
    assert renewed(world, before["RefreshToken"])


def test_a_refresh_token_that_rotates_gives_its_successor_again_within_the_grace_time(world: World) -> None:
    client_id = world.new_client(**LONG)["ClientId"]
    told = world.idp.describe_user_pool_client(UserPoolId=world.pool_id, ClientId=client_id)["UserPoolClient"]
    assert told["RefreshTokenRotation"] == LONG["RefreshTokenRotation"]
    first = world.sign_in(world.person(), client_id=client_id)["AuthenticationResult"]["RefreshToken"]

    answers = [renewed(world, first, client_id) for _ in range(2)]

    second = answers[0]["RefreshToken"]
    assert second not in {first, None}
    assert answers[1]["RefreshToken"] == second
    third = renewed(world, second, client_id)["RefreshToken"]
    assert third not in {first, second}
    assert renewed(world, first, client_id)["RefreshToken"] == third


def test_without_grace_a_refresh_token_that_rotated_ends_what_it_began(world: World) -> None:
    client_id = world.new_client(**ONCE)["ClientId"]
    first = world.sign_in(world.person(), client_id=client_id)["AuthenticationResult"]["RefreshToken"]

    answer = renewed(world, first, client_id)

    with refused("RefreshTokenReuseException", "Refresh token reuse detected."):
        renewed(world, first, client_id)

    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        renewed(world, answer["RefreshToken"], client_id)
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        world.anyone.get_user(AccessToken=answer["AccessToken"])


def test_a_client_whose_tokens_rotate_does_not_refresh_by_the_older_way(world: World) -> None:
    """Neither does one whose flows leave it open."""
    made = world.idp.create_user_pool_client(
        UserPoolId=world.pool_id, ClientName="app", RefreshTokenRotation={"Feature": "ENABLED"}
    )["UserPoolClient"]["ClientId"]
    client_id = world.new_client(**ROTATING)["ClientId"]
    token = world.sign_in(world.person(), client_id=client_id)["AuthenticationResult"]["RefreshToken"]

    with refused("InvalidParameterException", "REFRESH_TOKEN_AUTH flow not enabled for this client"):
        world.refresh(token, client_id)
    with refused("InvalidParameterException"):
        world.refresh(token, made)
    assert renewed(world, token, client_id)["RefreshToken"]


@pytest.mark.parametrize(
    "settings",
    [
        {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 61}},
        {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": -1}},
        {"RefreshTokenRotation": {"RetryGracePeriodSeconds": 1}},
        {"RefreshTokenRotation": {"Feature": "MAYBE"}},
        {"RefreshTokenRotation": {"Feature": "ENABLED"}, "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]},
    ],
)
def test_a_rotation_that_cannot_be_is_refused(world: World, settings: dict[str, Any]) -> None:
    with refused("InvalidParameterException"):
        world.new_client(**settings)


def test_a_client_with_a_secret_proves_it_by_the_secret_itself(world: World) -> None:
    client = world.new_client(GenerateSecret=True)
    client_id, name = client["ClientId"], world.person()
    proof = secret_hash(client, name)
    token = world.sign_in(name, client_id=client_id, SECRET_HASH=proof)["AuthenticationResult"]["RefreshToken"]

    assert renewed(world, token, client_id, ClientSecret=client["ClientSecret"])["AccessToken"]
    for wrong in ({}, {"ClientSecret": "x" * 51}):
        with refused("NotAuthorizedException", "Client authentication failed."):
            renewed(world, token, client_id, **wrong)
    with refused("NotAuthorizedException", "Client authentication failed."):
        renewed(world, world.tokens(name)["RefreshToken"], ClientSecret="x" * 51)


def test_a_refresh_token_gives_nothing_to_another_client_or_after_its_end(
    world: World, new_world: Callable[..., World]
) -> None:
    name = world.person()
    tokens, other = world.tokens(name), new_world()
    token = tokens["RefreshToken"]

    for client_id in (world.new_client()["ClientId"], other.client_id):
        with refused("NotAuthorizedException", "Invalid Refresh Token."):
            renewed(world, token, client_id)
    for wrong in ("x", "A" * 136, tokens["AccessToken"], tokens["IdToken"]):
        with refused("NotAuthorizedException", "Invalid Refresh Token."):
            renewed(world, wrong)
    with refused("ResourceNotFoundException", "User pool client nosuchclient does not exist."):
        renewed(world, token, "nosuchclient")
    world.anyone.global_sign_out(AccessToken=renewed(world, token)["AccessToken"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        renewed(world, token)


def test_revoking_ends_one_session_and_is_no_error_twice(world: World) -> None:
    name = world.person()
    tokens, others = world.tokens(name), world.tokens(name)

    for _ in range(2):
        world.anyone.revoke_token(ClientId=world.client_id, Token=tokens["RefreshToken"])

    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        world.refresh(tokens["RefreshToken"])
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        world.anyone.get_user(AccessToken=tokens["AccessToken"])
    assert world.refresh(others["RefreshToken"])
    assert world.anyone.get_user(AccessToken=others["AccessToken"])


def test_a_foreign_client_revokes_nothing(world: World, new_world: Callable[..., World]) -> None:
    token = world.tokens(world.person())["RefreshToken"]
    other = new_world()

    with refused("UnauthorizedException", "The token was issued to another client."):
        world.anyone.revoke_token(ClientId=world.new_client()["ClientId"], Token=token)
    other.anyone.revoke_token(ClientId=other.client_id, Token=token)  # what another pool issued is unknown here

    assert world.refresh(token)


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_only_refresh_tokens_are_revoked(world: World, kind: str) -> None:
    tokens = world.tokens(world.person())

    with refused("UnsupportedTokenTypeException"):
        world.anyone.revoke_token(ClientId=world.client_id, Token=tokens[kind])

    assert world.anyone.get_user(AccessToken=tokens["AccessToken"])


@pytest.mark.parametrize("token", ["x", "A" * 136, "a.b", "-_=."])
def test_an_unknown_token_is_revoked_already(world: World, token: str) -> None:
    assert world.anyone.revoke_token(ClientId=world.client_id, Token=token)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_client_proves_itself_by_its_plain_secret(world: World) -> None:
    client = world.new_client(GenerateSecret=True)
    given = {"ClientId": client["ClientId"], "Token": "x"}

    assert world.anyone.revoke_token(**given, ClientSecret=client["ClientSecret"])
    for bad in ({}, {"ClientSecret": "x" * 51}):
        with refused("UnauthorizedException"):
            world.anyone.revoke_token(**given, **bad)
    with refused("UnauthorizedException"):
        world.anyone.revoke_token(ClientId=world.client_id, Token="x", ClientSecret=client["ClientSecret"])
    with refused("UnauthorizedException"):
        world.anyone.revoke_token(ClientId="nosuchclient", Token="x")
    with world.live.orm():
        kept = AuditEvent.objects.filter(tag="client_refused", subject=client["ClientId"])
        assert {(event.outcome, event.actor_kind) for event in kept} == {("refused", "visitor")}


def test_a_client_with_revocation_off_does_not_revoke(world: World) -> None:
    client = world.new_client(EnableTokenRevocation=False)["ClientId"]
    token = world.sign_in(world.person(), client_id=client)["AuthenticationResult"]["RefreshToken"]

    with refused("UnsupportedOperationException"):
        world.anyone.revoke_token(ClientId=client, Token=token)

    assert world.refresh(token, client)


def test_what_this_release_has_not_is_refused(world: World) -> None:
    token = world.tokens(world.person())["RefreshToken"]

    with refused("InvalidParameterException", "RevokeAssociatedSessions is not available in this release."):
        world.anyone.revoke_token(ClientId=world.client_id, Token=token, RevokeAssociatedSessions="LINKED")

    assert world.refresh(token)
