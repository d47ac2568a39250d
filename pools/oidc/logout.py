"""/logout: Cognito's, and OpenID Connect's RP-initiated logout, of the browser's session at the pool.

Tokens that applications hold live on, as Cognito has it. Nothing is ended for a request that leads nowhere registered.
Who is to be asked first goes to a page of the pool that asks, ends the session, and comes back here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from identity.foundation.actor import Actor
from identity.foundation.errors import ClientNotFound
from pools.oidc import browser, errors
from pools.oidc.errors import PageRefusal
from pools.services import access
from pools.services.pools import openid
from pools.services.tokens import sessions
from pools.services.tokens.interactions import Kind
from pools.web import resume, session_cookie

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool
    from pools.models.hot import Browser

LEADS = ("logout_uri", "post_logout_redirect_uri", "redirect_uri", "response_type")
"""Parameters that say where to go on; without any it is our own last page."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A logout request: at which pool, with which parameters, and whose ID token it shows (empty: none that holds)."""

    pool: UserPool
    given: dict[str, str]
    hint: dict[str, Any]

    @property
    def leads_on(self) -> bool:
        """Say whether the request names a place to go on to."""
        return any(name in self.given for name in LEADS)

    def carried_to(self, path: str) -> str:
        """Return an address that carries the request."""
        return f"{path}?{urlencode(self.given)}" if self.given else path


@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """COGNITO.md 5.7; OpenID Connect RP-Initiated Logout 1.0."""
    try:
        leaving = read(request)
        client = asking(leaving)
        location = destination(leaving, client)
        if request.method == "POST":
            # Once more as GET: a form of another site brings no Lax cookie, the navigation after it does.
            return errors.moved(resume.url(Kind.LOGOUT, urlencode(leaving.given)), 303)
        session = session_cookie.held(request, leaving.pool)
        if session is not None and is_to_be_asked(leaving, client):
            return errors.moved(leaving.carried_to(reverse("hosted:sign_out")), 303)
        check_who(leaving, session)
    except PageRefusal as problem:
        return errors.page(problem)
    response = errors.moved(location, 302)
    if request.method == "GET":
        end(request, leaving, session)
        session_cookie.forget(request, response, session_cookie.name(request, leaving.pool))
    return response


def read(request: HttpRequest) -> Leaving:
    """Return the request as it was sent."""
    pool = browser.pool_of(request)
    # An image or a frame of a neighbouring site brings Lax cookies too; a person who leaves navigates a whole window.
    fetch = request.headers.get("Sec-Fetch-Mode", "navigate"), request.headers.get("Sec-Fetch-Dest", "document")
    if fetch != ("navigate", "document"):
        raise PageRefusal("invalid_request")
    sent = browser.parameters_of(request)
    if sent.repeated:
        raise PageRefusal("invalid_request")
    return Leaving(pool, dict(sent.values), browser.hint_claims(pool, sent.values.get("id_token_hint")))


def asking(leaving: Leaving) -> AppClient | None:
    """Return the client that asks, by its id or by the ID token it shows; the two must agree.

    None: nobody says who asks. Then nothing may be asked but to be signed out, nor a hint be shown that does not hold.
    """
    hinted = str(leaving.hint.get("aud", ""))
    client_id = leaving.given.get("client_id") or hinted
    shows_nothing = "id_token_hint" in leaving.given and not leaving.hint
    if not client_id:
        if leaving.leads_on or shows_nothing:
            raise PageRefusal("no_client")
        return None
    if hinted and client_id != hinted:
        raise PageRefusal("invalid_request")
    try:
        client = access.client_in(leaving.pool, client_id)
    except ClientNotFound:
        if leaving.hint and not leaving.leads_on and "client_id" not in leaving.given:
            return None  # the app is gone, and nothing of it is needed
        raise PageRefusal("unknown_client") from None
    if shows_nothing and openid.rules(client).asks_before_logout:
        raise PageRefusal("invalid_request", client.client_id)
    return client


def destination(leaving: Leaving, client: AppClient | None) -> str:
    """Return where the browser goes on: a registered logout URL, the login page, or our own last page."""
    given = leaving.given
    if client is None or not leaving.leads_on:
        return reverse("hosted:signed_out")
    after = given.get("logout_uri") or given.get("post_logout_redirect_uri")
    if after is not None:
        if after not in client.logout_urls:
            raise errors.redirect_mismatch(client, after, after_logout=True)
        state = {"state": given["state"]} if "logout_uri" not in given and "state" in given else {}
        return errors.with_query(after, state) if state else after
    if "redirect_uri" not in given or "response_type" not in given:
        if leaving.hint:
            return reverse("hosted:signed_out")
        raise PageRefusal("invalid_request", client.client_id)
    if given["redirect_uri"] not in client.callback_urls:
        raise errors.redirect_mismatch(client, given["redirect_uri"])
    return resume.sign_in_url(given)


def is_to_be_asked(leaving: Leaving, client: AppClient | None) -> bool:
    """Say whether the person is asked first: any page can lead here, and only an ID token shows that an app does.

    Cognito's logout, which names an app and a place of it, asks nobody.
    """
    if leaving.hint:
        return False
    return client is None or not leaving.leads_on or openid.rules(client).asks_before_logout


def check_who(leaving: Leaving, session: Browser | None) -> None:
    """Refuse to sign out another person than the application speaks of."""
    if session is not None and leaving.hint.get("sub", str(session.person.sub)) != str(session.person.sub):
        raise PageRefusal("other_account")


def end(request: HttpRequest, leaving: Leaving, session: Browser | None) -> None:
    """End the browser's session, if it has one."""
    if session is None:
        return
    address, request_id = getattr(request, "address", ""), getattr(request, "request_id", "")
    sessions.end(leaving.pool, session, by=Actor.user(session.person.sub, address=address, request_id=request_id))
