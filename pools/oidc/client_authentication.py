"""How an app client proves itself to the token and revocation endpoints: Basic, secret in the form, or none.

Exactly one way at a time (RFC 6749 section 2.3). Whether a secret is right is decided by ``services.access``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from identity.foundation.errors import ClientRefused
from pools.oidc import errors
from pools.services import access

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool

CLIENT_ID = re.compile(r"[\w+-]{1,128}", re.ASCII)


def authenticate(pool: UserPool, form: Mapping[str, str], authorization: str) -> AppClient:
    """Return the client of this pool that proved itself.

    Raises:
        ClientNotFound: the pool has no such client.
        ClientRefused: the proof is missing, wrong, unexpected or unreadable.
        OAuth2Error: two proofs, or no client named.

    """
    if not authorization:
        return proven(pool, named(form), form.get("client_secret"))
    if "client_secret" in form:
        raise errors.refusal("invalid_request", "The client authenticates in more than one way.")
    user, secret = basic(authorization)
    client_id = user if CLIENT_ID.fullmatch(user) else unquote_plus(user)
    if form.get("client_id", client_id) != client_id:
        raise errors.refusal("invalid_request", "The client is named in two ways that differ.")
    try:
        # Cognito's clients send the pair as it is; RFC 6749 section 2.3.1 wants both parts form-encoded.
        return proven(pool, client_id, secret)
    except ClientRefused:
        if unquote_plus(secret) == secret:
            raise
        return proven(pool, client_id, unquote_plus(secret))


def named(form: Mapping[str, str]) -> str:
    """Return the client id of a form."""
    if "client_id" not in form:
        raise errors.refusal("invalid_request", "The parameter client_id is missing.")
    return form["client_id"]


def basic(authorization: str) -> tuple[str, str]:
    """Return the two parts of a Basic credential."""
    scheme, _, credential = authorization.partition(" ")
    try:
        pair = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        pair = ""
    user, colon, secret = pair.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ClientRefused(detail="unreadable Authorization header")
    return user, secret


def proven(pool: UserPool, client_id: str, secret: str | None) -> AppClient:
    """Return the client if the secret (or its absence) is right."""
    if not CLIENT_ID.fullmatch(client_id):
        raise ClientRefused(detail="not a client id")
    client = access.client_in(pool, client_id)
    access.authenticate(client, secret or None)
    return client
