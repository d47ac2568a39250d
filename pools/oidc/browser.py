"""What a browser brings: parameters, its session's cookie (which the login pages set), ID tokens shown as hints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.http.request import UnreadablePostError

from identity.foundation import names
from identity.foundation.errors import PoolNotFound
from pools.oidc import parameters
from pools.oidc.errors import PageRefusal
from pools.services import access
from pools.services.pools import signing_keys
from pools.services.tokens import sessions

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from pools.models import UserPool
    from pools.models.hot import Browser


def pool_of(request: HttpRequest) -> UserPool:
    """Return the pool that host or path named."""
    try:
        return access.pool(getattr(request, "pool", None) or "")
    except PoolNotFound:
        raise Http404 from None


def sent(request: HttpRequest) -> parameters.Parameters:
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


def session(request: HttpRequest, pool: UserPool) -> Browser | None:
    """Return the session that carries this browser's person, if there is one."""
    return sessions.current(pool, cookie(request, pool))


def held(request: HttpRequest, pool: UserPool) -> Browser | None:
    """Return the live session that this browser may end, whether or not it still carries anybody."""
    return sessions.held(pool, cookie(request, pool))


def cookie(request: HttpRequest, pool: UserPool) -> str | None:
    """Return what the browser's cookie of this pool says."""
    return request.COOKIES.get(sessions.cookie_name(pool, request.is_secure()))


def forget(request: HttpRequest, response: HttpResponse, pool: UserPool) -> None:
    """Take the cookie back. A ``__Host-`` cookie is only replaced by one that is Secure as well."""
    secure = request.is_secure()
    response.set_cookie(
        sessions.cookie_name(pool, secure), "", max_age=0, path="/", secure=secure, httponly=True, samesite="Lax"
    )


def hinted(pool: UserPool, token: str | None) -> dict[str, Any]:
    """Return the claims of an ID token of ours that is shown as a hint, expired or not; empty for anything else."""
    claims = signing_keys.verify(pool, signing_keys.Use.ID, token) if token else None
    if not claims or claims.get("token_use") != "id" or claims.get("iss") != names.issuer(pool.public_id):
        return {}
    return claims
