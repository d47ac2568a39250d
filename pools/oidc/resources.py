"""/oauth2/userInfo, which an access token opens, and /oauth2/revoke, which a client asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from identity.foundation.actor import Actor
from identity.foundation.call import Answer, Call
from identity.foundation.errors import ScopeMissing, TokenRefused, UserDisabled, UserNotFound
from pools.oidc import client_authentication, endpoints, errors, parameters
from pools.oidc.endpoints import endpoint
from pools.services.tokens import claims, verify
from pools.services.tokens import revoke as revoking

if TYPE_CHECKING:
    from pools.models import UserPool

BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
# Cognito's words.
MALFORMED = "Bad OAuth2 request at UserInfo Endpoint"
DEAD = "Access token is expired, disabled, or deleted, or the user has globally signed out."
JSON = "application/json;charset=UTF-8"


@endpoint("GET", "POST")
def user_info(call: Call, pool: UserPool) -> Answer:
    """OpenID Connect Core section 5.3; refusals by RFC 6750 section 3."""
    token = presented(call)
    if token is None:
        return refused("invalid_request", MALFORMED, 400)
    try:
        bearer = verify.verify_access(token, scope="openid", pool=pool)
    except ScopeMissing:
        return refused("insufficient_scope", "The access token lacks the scope openid.", 403, scope="openid")
    except (TokenRefused, UserDisabled, UserNotFound):
        return refused("invalid_token", DEAD, 401)
    info = claims.user_info(bearer.client, bearer.person, sorted(bearer.scopes))
    return Answer.json(info, headers={"content-type": JSON, "pragma": "no-cache"})


def presented(call: Call) -> str | None:
    """Return the one access token of a call: in the header, or in a posted form. None: none, two, or unreadable."""
    header, posted = call.headers.get("authorization", ""), ""
    if call.method == "POST" and parameters.is_form(call.headers.get("content-type", "")):
        posted = endpoints.form(call).get("access_token", "")
    return None if header and posted else bearer(header or f"Bearer {posted}")


def bearer(header: str) -> str | None:
    """Return the access token of an Authorization header; None where it shows none."""
    found = BEARER.fullmatch(header)
    return found[1] if found else None


def refused(error: str, description: str, status: int, *, scope: str = "", realm: str = "userInfo") -> Answer:
    """Return a refusal, in header and body alike."""
    challenge = f'Bearer realm="{realm}", error="{error}", error_description="{description}"'
    if scope:
        challenge += f', scope="{scope}"'
    return errors.answer(error, description, status, {"www-authenticate": challenge})


@endpoint("POST")
def revoke(call: Call, pool: UserPool) -> Answer:
    """RFC 7009: end a refresh token and what hangs on it. A token that is unknown or dead already is no error."""
    form = endpoints.form(call)
    client = client_authentication.authenticate(call, pool, form)
    if "token" not in form:
        raise errors.refusal("invalid_request", "The parameter token is missing.")
    by = Actor.client(client.client_id, address=call.address, request_id=call.request_id)
    revoking.revoke(client, form["token"], by=by)
    return Answer(200, headers={"cache-control": "no-store", "pragma": "no-cache"})
