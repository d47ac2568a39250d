"""How an app client proves itself to the token and revocation endpoints: Basic, secret in the form, or none.

Exactly one way at a time (RFC 6749 section 2.3). Whether a secret is right is decided by ``services.access``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_plus

from identity.foundation.actor import Actor
from identity.foundation.errors import ClientRefused
from pools.oidc import errors
from pools.services import access

if TYPE_CHECKING:
    from identity.foundation.call import Call
    from pools.models import AppClient, UserPool

CLIENT_ID = re.compile(r"[\w+-]{1,128}", re.ASCII)


class Presented(NamedTuple):
    """Who a request says it is, and the secret it shows, in each way it may be meant."""

    client_id: str
    secrets: tuple[str | None, ...]


def authenticate(call: Call, pool: UserPool, form: Mapping[str, str]) -> AppClient:
    """Return the client of this pool that proved itself.

    Raises:
        ClientNotFound: the pool has no such client.
        ClientRefused: the proof is missing, wrong, unexpected or unreadable.
        OAuth2Error: two proofs, or no client named.

    """
    authorization = call.headers.get("authorization", "")
    presented = by_header(authorization, form) if authorization else by_form(form)
    if not CLIENT_ID.fullmatch(presented.client_id):
        raise ClientRefused(detail="not a client id")
    client = access.client_in(pool, presented.client_id)
    by = Actor.visitor(address=call.address, request_id=call.request_id)
    access.authenticate(client, presented.secrets, by=by)
    return client


def by_form(form: Mapping[str, str]) -> Presented:
    """Read a proof in the form, or none."""
    if "client_id" not in form:
        raise errors.refusal("invalid_request", "The parameter client_id is missing.")
    return Presented(form["client_id"], (form.get("client_secret"),))


def by_header(authorization: str, form: Mapping[str, str]) -> Presented:
    """Read a proof by Basic; the form may name the same client, and must show no secret."""
    if "client_secret" in form:
        raise errors.refusal("invalid_request", "The client authenticates in more than one way.")
    scheme, _, credential = authorization.partition(" ")
    try:
        pair = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        pair = ""
    user, colon, secret = pair.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ClientRefused(detail="unreadable Authorization header")
    client_id = user if CLIENT_ID.fullmatch(user) else unquote_plus(user)
    if form.get("client_id", client_id) != client_id:
        raise errors.refusal("invalid_request", "The client is named in two ways that differ.")
    # Cognito's clients send the pair as it is; RFC 6749 section 2.3.1 wants both parts form-encoded.
    return Presented(client_id, tuple(dict.fromkeys((secret or None, unquote_plus(secret) or None))))
