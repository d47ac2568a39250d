"""What a browser brings to OAuth endpoints: parameters, and ID tokens shown as hints. Cookies are ``pools.web``'s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.http.request import UnreadablePostError

from identity.foundation import names
from identity.foundation.errors import PoolNotFound
from pools.oidc import parameters
from pools.oidc.errors import PageRefusal
from pools.services.pools import signing_keys
from pools.web import request_context

if TYPE_CHECKING:
    from django.http import HttpRequest

    from pools.models import UserPool


def pool_of(request: HttpRequest) -> UserPool:
    """Return the pool that host or path named."""
    try:
        return request_context.pool_of(request)
    except PoolNotFound:
        raise Http404 from None


def parameters_of(request: HttpRequest) -> parameters.Parameters:
    """Return what a browser sent, by query or by form.

    Raises:
        PageRefusal: it cannot be read.

    """
    try:
        if request.method != "POST":
            return parameters.read(request.META.get("QUERY_STRING", ""))
        if parameters.is_form(request.headers.get("Content-Type", "")):
            return parameters.read(request.body)
    except (parameters.Malformed, RequestDataTooBig, UnreadablePostError):
        pass
    raise PageRefusal("invalid_request")


def hint_claims(pool: UserPool, token: str | None) -> dict[str, Any]:
    """Return the claims of an ID token of ours that is shown as a hint, expired or not; empty for anything else."""
    claims = signing_keys.verify(pool, signing_keys.Use.ID, token) if token else None
    if not claims or claims.get("token_use") != "id" or claims.get("iss") != names.issuer(pool.public_id):
        return {}
    return claims
