"""Signing in: Cognito's flows and challenges as adapters of the sign-in machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from identity.foundation.errors import AttemptTokenRefused, Invalid, NotAvailable
from pools.cognito import challenges, client_addresses, shapes
from pools.cognito.challenges import needed
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.sign_in import flows, machine, sealed_attempts
from pools.services.sign_in.machine import Challenge
from pools.services.tokens import refresh as refreshing

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminInitiateAuthRequestTypeDef,
        AdminRespondToAuthChallengeRequestTypeDef,
        InitiateAuthRequestTypeDef,
        RespondToAuthChallengeRequestTypeDef,
    )

    from identity.foundation.actor import Actor
    from pools.models import AppClient

    Answer = RespondToAuthChallengeRequestTypeDef | AdminRespondToAuthChallengeRequestTypeDef

REFRESH = frozenset({"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})


@user_pools.operation
def initiate_auth(call: InitiateAuthRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_InitiateAuth."""
    return begin(call, access.client(call["ClientId"]), by)


@user_pools.operation
def admin_initiate_auth(call: AdminInitiateAuthRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminInitiateAuth."""
    client = access.client_in(access.pool(call["UserPoolId"]), call["ClientId"])
    return begin(call, client, client_addresses.of_administrator(call, by), admin=True)


def begin(
    call: InitiateAuthRequestTypeDef | AdminInitiateAuthRequestTypeDef,
    client: AppClient,
    by: Actor,
    *,
    admin: bool = False,
) -> dict[str, Any]:
    """Start the flow that was asked for."""
    flow, given = call["AuthFlow"], call.get("AuthParameters", {})
    if flow in REFRESH:
        flows.check(client, flow, admin=admin)
        return refresh(given, client, by)
    open_flow = flows.by_api(client, flow, admin=admin)
    username, answers = needed(given, "USERNAME"), BEGINNINGS[open_flow.first](given)
    access.app_client_for(client.client_id, username, secret_hash=given.get("SECRET_HASH"))
    by = by if admin else client_addresses.of_app(client, call, by)
    return challenges.outcome(machine.begin(open_flow, username=username, answers=answers, by=by))


def password(given: Mapping[str, str]) -> dict[str, Any]:
    """Read what a flow that sends the password begins with."""
    return {"password": needed(given, "PASSWORD")}


def client_public(given: Mapping[str, str]) -> dict[str, Any]:
    """Read what SRP begins with."""
    return {"client_public": needed(given, "SRP_A")}


BEGINNINGS = {Challenge.PASSWORD: password, Challenge.PASSWORD_VERIFIER: client_public}


def refresh(given: Mapping[str, str], client: AppClient, by: Actor) -> dict[str, Any]:
    """Make new tokens of a refresh token, which the client keeps."""
    token, secret_hash = needed(given, "REFRESH_TOKEN"), given.get("SECRET_HASH")
    if not client.confidential or secret_hash is None:
        access.check_secret_hash(client, (), secret_hash)
    found = refreshing.refresh(client, token, by=by, rotating=False)
    if client.confidential:
        # Which names the hash may cover is known only now. Nothing has left, and without rotation nothing was turned.
        access.check_secret_hash(client, shapes.names_in(found), secret_hash)
    return {"AuthenticationResult": shapes.authentication_result(found), "ChallengeParameters": {}}


@user_pools.operation
def respond_to_auth_challenge(call: RespondToAuthChallengeRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_RespondToAuthChallenge."""
    return respond(call, call["ClientId"], by)


@user_pools.operation
def admin_respond_to_auth_challenge(call: AdminRespondToAuthChallengeRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminRespondToAuthChallenge."""
    client = access.client_in(access.pool(call["UserPoolId"]), call["ClientId"])
    return respond(call, client.client_id, client_addresses.of_administrator(call, by), admin=True)


def respond(call: Answer, client_id: str, by: Actor, *, admin: bool = False) -> dict[str, Any]:
    """Answer the challenge that is named."""
    name, given = call["ChallengeName"], call.get("ChallengeResponses", {})
    if name not in challenges.BY_NAME:
        raise NotAvailable(f"{name} is not available in this release.")
    username = needed(given, "USERNAME")
    client = access.app_client_for(client_id, username, secret_hash=given.get("SECRET_HASH"))
    by, challenge = by if admin else client_addresses.of_app(client, call, by), challenges.BY_NAME[name]
    outcome = machine.respond(
        client,
        challenge=challenge,
        attempt_token=attempt_token_of(call, given),
        answers=challenges.CHALLENGES[challenge].read(given),
        username=username,
        by=by,
    )
    return challenges.outcome(outcome)


def attempt_token_of(call: Answer, given: Mapping[str, str]) -> str:
    """Return what carries the sign-in: the Session, which may be left out where a SECRET_BLOCK says it.

    Raises:
        AttemptTokenRefused: they are of two sign-ins.

    """
    if call["ChallengeName"] != "PASSWORD_VERIFIER":
        if "Session" not in call:
            raise Invalid("Missing required parameter Session", field="Session")
        return call["Session"]
    attempt_token = sealed_attempts.token_of(needed(given, "PASSWORD_CLAIM_SECRET_BLOCK"))
    if call.get("Session", attempt_token) != attempt_token:
        raise AttemptTokenRefused(detail="another sign-in's block")
    return attempt_token
