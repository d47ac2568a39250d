"""The cookie of a browser's session at a pool: how it is named, read, written and taken back. One place decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pools.services.tokens import sessions

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from pools.models import UserPool
    from pools.models.hot import BrowserSession


def name(request: HttpRequest, pool: UserPool) -> str:
    """Return the name of the cookie, as the request came: by https or not."""
    return sessions.cookie_name(pool, request.is_secure())


def signed_in_session(request: HttpRequest, pool: UserPool) -> BrowserSession | None:
    """Return the session that carries this browser's person at the pool, if any."""
    return sessions.signed_in_session(pool, request.COOKIES.get(name(request, pool)))


def live_session(request: HttpRequest, pool: UserPool) -> BrowserSession | None:
    """Return the live session that this browser may end, whether or not it still carries anybody."""
    return sessions.live_session(pool, request.COOKIES.get(name(request, pool)))


def write(request: HttpRequest, response: HttpResponse, cookie: str, value: str, *, max_age: int | None) -> None:
    """Write a cookie of a pool, by its name: all of them are for this origin's own pages alone."""
    secure = request.is_secure()
    response.set_cookie(cookie, value, max_age=max_age, path="/", secure=secure, httponly=True, samesite="Lax")


def forget(request: HttpRequest, response: HttpResponse, cookie: str) -> None:
    """Take a cookie back. A ``__Host-`` cookie is only replaced by one that is Secure as well."""
    write(request, response, cookie, "", max_age=0)
