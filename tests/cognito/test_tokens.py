"""Revoking through boto3."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pools.models import AuditEvent
from tests.cognito.conftest import World, refused


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
