"""/logout: Cognito's, and OpenID Connect's RP-initiated logout, of the browser's session at the pool.

Tokens that applications hold live on, as Cognito has it. Nothing is ended for a request that leads nowhere registered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from identity.foundation.errors import ClientNotFound
from pools.oidc import browser, errors
from pools.oidc.errors import PageRefusal
from pools.services import access, sessions
from pools.services.audit import Actor

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool


@dataclass(frozen=True, slots=True)
class Leaving:
    """A logout request: at which pool, with which parameters, and whose ID token it shows (empty: none that holds)."""

    pool: UserPool
    given: dict[str, str]
    hint: dict[str, Any]


@require_http_methods(["GET", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """COGNITO.md 5.7; OpenID Connect RP-Initiated Logout 1.0."""
    try:
        leaving = read(request)
        location = destination(leaving)
        if request.method == "POST":
            # Once more as GET: a form of another site brings no Lax cookie, the navigation after it does.
            return errors.moved(f"{reverse('oidc:logout')}?{urlencode(leaving.given)}", 303)
        end(request, leaving)
    except PageRefusal as problem:
        return errors.page(problem)
    response = errors.moved(location, 302)
    browser.forget(request, response, leaving.pool)
    return response


def read(request: HttpRequest) -> Leaving:
    """Return the request as it was sent."""
    pool = browser.pool_of(request)
    # An image or a frame of a neighbouring site brings Lax cookies too; a person who leaves navigates a whole window.
    fetch = request.headers.get("Sec-Fetch-Mode", "navigate"), request.headers.get("Sec-Fetch-Dest", "document")
    if fetch != ("navigate", "document"):
        raise PageRefusal("invalid_request")
    sent = browser.sent(request)
    if sent.repeated:
        raise PageRefusal("invalid_request")
    return Leaving(pool, dict(sent.values), browser.hinted(pool, sent.values.get("id_token_hint")))


def destination(leaving: Leaving) -> str:
    """Return where the browser goes on: a registered logout URL, the login page, or our own last page."""
    given = leaving.given
    after = given.get("logout_uri") or given.get("post_logout_redirect_uri")
    if after is None and "redirect_uri" not in given and leaving.hint and "client_id" not in given:
        return reverse("hosted:signed_out")
    client = asking(leaving)
    if after is not None:
        if after not in client.logout_urls:
            raise PageRefusal("redirect_mismatch", client.client_id)
        state = {"state": given["state"]} if "logout_uri" not in given and "state" in given else {}
        return errors.with_query(after, state) if state else after
    if "redirect_uri" not in given or "response_type" not in given:
        if leaving.hint:
            return reverse("hosted:signed_out")
        raise PageRefusal("invalid_request", client.client_id)
    if given["redirect_uri"] not in client.callback_urls:
        raise PageRefusal("redirect_mismatch", client.client_id)
    return f"{reverse('hosted:sign_in')}?{urlencode(given)}"


def asking(leaving: Leaving) -> AppClient:
    """Return the client that asks, by its id or by the ID token it shows; the two must agree."""
    hinted = str(leaving.hint.get("aud", ""))
    client_id = leaving.given.get("client_id") or hinted
    if not client_id:
        raise PageRefusal("no_client")
    if hinted and client_id != hinted:
        raise PageRefusal("invalid_request")
    try:
        return access.client_in(leaving.pool, client_id)
    except ClientNotFound:
        raise PageRefusal("unknown_client") from None


def end(request: HttpRequest, leaving: Leaving) -> None:
    """End the browser's session, unless the application speaks of somebody else's."""
    session = browser.held(request, leaving.pool)
    if session is None:
        return
    sub = str(session.person.sub)
    if leaving.hint.get("sub", sub) != sub:
        raise PageRefusal("other_account")
    by = Actor.user(sub, address=getattr(request, "address", ""), request_id=getattr(request, "request_id", ""))
    sessions.end(leaving.pool, session, by=by)
