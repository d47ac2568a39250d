"""The demo's second pool, an identity provider of the first: a button on its login page, and somebody to try it as.

Made in stages, like the rest of the demo: what was made is never made again, what it is called at never changes, and
addresses follow a start at another place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from identity.foundation import errors, names
from identity.foundation.actor import Actor
from pools.services import access
from pools.services.people import passwords, users
from pools.services.pools import app_clients, client_secrets, user_pools
from pools.services.providers import identity_providers, our_side

BY = Actor.system()
NAME = "Partner"
PERSON = "ada@partner.example"
SCOPES = ["openid", "email", "profile"]
MAPPING = {"email": "email", "email_verified": "email_verified", "given_name": "given_name"}


def pool(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the pool, to whose pages anybody may sign up."""
    del kept
    schema = [{"name": "email", "attribute_data_type": "String", "mutable": True, "required": True}]
    wanted = {
        "username_attributes": ["email"],
        "username_configuration": {"case_sensitive": False},
        "auto_verified_attributes": ["email"],
        "schema": schema,
    }
    return {"partner_pool_id": user_pools.create(NAME, settings=wanted, by=BY).public_id}


def client(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the client by which the demo's pool is known there."""
    wanted = {
        "generate_secret": True,
        "allowed_oauth_flows_user_pool_client": True,
        "allowed_oauth_flows": ["code"],
        "allowed_oauth_scopes": SCOPES,
        "callback_urls": [callback(kept)],
        "supported_identity_providers": ["COGNITO"],
        "prevent_user_existence_errors": "ENABLED",
    }
    made = app_clients.create(access.pool(kept["partner_pool_id"]), "Demo", settings=wanted, by=BY)
    return {"partner_client_id": made.client_id}


def person(kept: dict[str, Any]) -> dict[str, Any]:
    """Make somebody who has an account there, with a random password."""
    found = access.pool(kept["partner_pool_id"])
    password = f"{names.text(names.ALNUM, 20)}-Aa1"
    attributes = {"email": PERSON, "email_verified": "true", "given_name": "Ada"}
    try:
        made = users.create(found, PERSON, attributes=attributes, message="suppress", by=BY)
    except errors.UsernameExists:  # of a seed that was interrupted
        made = access.user(found, PERSON)
    passwords.admin_set(found, made, password, permanent=True, by=BY)
    return {"partner_username": PERSON, "partner_password": password}


def provider(kept: dict[str, Any]) -> dict[str, Any]:
    """Make the pool a provider of the demo's, and let the sample app's client offer it."""
    demo = access.pool(kept["user_pool_id"])
    try:
        identity_providers.create(demo, NAME, kind="OIDC", details=details(kept), attribute_mapping=MAPPING, by=BY)
    except identity_providers.ProviderExists:  # of a seed that was interrupted
        move_along(kept)
    app = access.client_in(demo, kept["client_id"])
    offered = app.identity_providers or ["COGNITO"]
    if NAME not in offered:
        app_clients.update(app, {"supported_identity_providers": [*offered, NAME]}, by=BY)
    return {"partner_provider": NAME}


STAGES: tuple[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    ("partner_pool_id", pool),
    ("partner_client_id", client),
    ("partner_username", person),
    ("partner_provider", provider),
)


def details(kept: dict[str, Any]) -> dict[str, str]:
    """Return what the demo's pool asks the partner with. Its endpoints are given: nobody serves them while we seed."""
    issuer = names.issuer(kept["partner_pool_id"])
    app = access.client_in(access.pool(kept["partner_pool_id"]), kept["partner_client_id"])
    return {
        "client_id": app.client_id,
        "client_secret": client_secrets.values(app)[0],
        "authorize_scopes": " ".join(SCOPES),
        "oidc_issuer": issuer,
        "attributes_request_method": "GET",
        "authorize_url": f"{issuer}/oauth2/authorize",
        "token_url": f"{issuer}/oauth2/token",
        "attributes_url": f"{issuer}/oauth2/userInfo",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
    }


def callback(kept: dict[str, Any]) -> str:
    """Return where the partner sends people back to."""
    return our_side.of(access.pool(kept["user_pool_id"]), "OIDC").callback


def move_along(kept: dict[str, Any]) -> None:
    """Let both pools know where the other is, after a start at another address than those before.

    Raises:
        NotFound: somebody deleted a part of it.

    """
    app = access.client_in(access.pool(kept["partner_pool_id"]), kept["partner_client_id"])
    if (there := callback(kept)) not in app.callback_urls:
        app_clients.update(app, {"callback_urls": [there]}, by=BY)
    demo, wanted = access.pool(kept["user_pool_id"]), details(kept)
    row = identity_providers.named(demo, NAME)
    if row.details.get("client_id") == wanted["client_id"] and row.details.get("oidc_issuer") != wanted["oidc_issuer"]:
        identity_providers.update(demo, NAME, changes={"details": wanted}, keeps_details=True, by=BY)
