"""Signing in: Cognito's flows and challenges as adapters of the sign-in machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from identity.foundation.errors import FlowNotEnabled, Invalid, NotAvailable
from pools.cognito import shapes
from pools.cognito.contract import Reply, user_pools
from pools.services import access
from pools.services.pools import app_clients
from pools.services.sign_in import machine
from pools.services.sign_in.machine import Challenge, Want
from pools.services.tokens import tokens

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminInitiateAuthRequestTypeDef,
        InitiateAuthRequestTypeDef,
        RespondToAuthChallengeRequestTypeDef,
    )

    from pools.models import AppClient
    from pools.services.audit import Actor

ALLOWED_BY = {
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
    "CUSTOM_AUTH": "ALLOW_CUSTOM_AUTH",
    "USER_AUTH": "ALLOW_USER_AUTH",
}
ADMIN = frozenset({"ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"})
PASSWORD = ADMIN | {"USER_PASSWORD_AUTH"}
REFRESH = frozenset({"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})
PREFIX = "userAttributes."


def needed(given: Mapping[str, str], name: str) -> str:
    """Return a parameter that must be there."""
    if name not in given:
        raise Invalid(f"Missing required parameter {name}", field=name)
    return given[name]


@user_pools.operation
def initiate_auth(call: InitiateAuthRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_InitiateAuth."""
    client = access.client(call["ClientId"])
    if call["AuthFlow"] in ADMIN:
        raise Invalid("Initiate Auth method not supported.")
    if ALLOWED_BY[call["AuthFlow"]] not in app_clients.effective_flows(client):
        raise not_enabled(call["AuthFlow"], f"{call['AuthFlow']} flow not enabled for this client")
    return begin(call, client, by)


@user_pools.operation
def admin_initiate_auth(call: AdminInitiateAuthRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminInitiateAuth."""
    client = access.client_in(access.pool(call["UserPoolId"]), call["ClientId"])
    if call["AuthFlow"] == "USER_PASSWORD_AUTH":
        raise Invalid("Initiate Auth method not supported.")
    if ALLOWED_BY[call["AuthFlow"]] not in app_clients.effective_flows(client):
        raise not_enabled(call["AuthFlow"], "Auth flow not enabled for this client")
    return begin(call, client, by)


def not_enabled(flow: str, words: str) -> FlowNotEnabled:
    """Return the refusal of a flow that the client has not: Amazon has words of its own for one of them."""
    return FlowNotEnabled("CUSTOM_AUTH is not enabled for the client." if flow == "CUSTOM_AUTH" else words)


def begin(
    call: InitiateAuthRequestTypeDef | AdminInitiateAuthRequestTypeDef, client: AppClient, by: Actor
) -> dict[str, Any]:
    """Start the flow that was asked for."""
    flow, given = call["AuthFlow"], call.get("AuthParameters", {})
    if flow in REFRESH:
        return refresh(given, client, by)
    if flow not in PASSWORD:
        raise NotAvailable(f"{flow} is not available in this release.")
    username, password = needed(given, "USERNAME"), needed(given, "PASSWORD")
    access.app_client_for(client.client_id, username, secret_hash=given.get("SECRET_HASH"))
    outcome = machine.begin(client, username=username, password=password, want=Want.TOKENS, by=by, admin=flow in ADMIN)
    return shapes.auth_outcome(outcome)


def refresh(given: Mapping[str, str], client: AppClient, by: Actor) -> dict[str, Any]:
    """Make new tokens of a refresh token, which the client keeps."""
    token, secret_hash = needed(given, "REFRESH_TOKEN"), given.get("SECRET_HASH")
    if not client.confidential or secret_hash is None:
        access.check_secret_hash(client, (), secret_hash)
    found = tokens.refresh(client, token, by=by, rotating=False)
    if client.confidential:
        # Which names the hash may cover is known only now. Nothing has left, and without rotation nothing was turned.
        access.check_secret_hash(client, shapes.names_in(found), secret_hash)
    return {"AuthenticationResult": shapes.authentication_result(found), "ChallengeParameters": {}}


@user_pools.operation
def respond_to_auth_challenge(call: RespondToAuthChallengeRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_RespondToAuthChallenge."""
    name, given = call["ChallengeName"], call.get("ChallengeResponses", {})
    if name not in ANSWERS:
        raise NotAvailable(f"{name} is not available in this release.")
    username = needed(given, "USERNAME")
    client = access.app_client_for(call["ClientId"], username, secret_hash=given.get("SECRET_HASH"))
    if "Session" not in call:
        raise Invalid("Missing required parameter Session", field="Session")
    challenge, answers = ANSWERS[name]
    outcome = machine.respond(
        client, challenge=challenge, session=call["Session"], answers=answers(given), username=username, by=by
    )
    return shapes.auth_outcome(outcome)


def new_password(given: Mapping[str, str]) -> dict[str, Any]:
    """Read the answer to NEW_PASSWORD_REQUIRED."""
    attributes = {name.removeprefix(PREFIX): value for name, value in given.items() if name.startswith(PREFIX)}
    return {"new_password": needed(given, "NEW_PASSWORD"), "attributes": attributes}


def totp(given: Mapping[str, str]) -> dict[str, Any]:
    """Read the answer to SOFTWARE_TOKEN_MFA."""
    return {"code": needed(given, "SOFTWARE_TOKEN_MFA_CODE")}


def factor_setup(given: Mapping[str, str]) -> dict[str, Any]:
    """Read the answer to MFA_SETUP: the session says it all."""
    del given
    return {}


ANSWERS = {
    "NEW_PASSWORD_REQUIRED": (Challenge.NEW_PASSWORD, new_password),
    "SOFTWARE_TOKEN_MFA": (Challenge.TOTP, totp),
    "MFA_SETUP": (Challenge.FACTOR_SETUP, factor_setup),
}
