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

from identity.foundation.errors import ClientNotFound
from pools.oidc import browser, errors
from pools.oidc.errors import PageRefusal
from pools.services import access
from pools.services.pools import openid
from pools.services.providers import saml_logouts
from pools.services.tokens import sessions
from pools.services.tokens.interactions import Kind
from pools.web import request_context, resume, session_cookie

if TYPE_CHECKING:
    from pools.models import AppClient, UserPool
    from pools.models.hot import BrowserSession

DESTINATIONS = ("logout_uri", "post_logout_redirect_uri", "redirect_uri", "response_type")
"""Parameters that say where to go on; without any it is our own last page."""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A logout request: at which pool, with which parameters, and whose ID token it shows (empty: none that holds)."""

    pool: UserPool
    parameters: dict[str, str]
    hint: dict[str, Any]

    @property
    def names_destination(self) -> bool:
        """Say whether the request names a place to go on to."""
        return any(name in self.parameters for name in DESTINATIONS)

    def carried_to(self, path: str) -> str:
        """Return an address that carries the request."""
        return f"{path}?{urlencode(self.parameters)}" if self.parameters else path


@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """End the browser's session: Cognito's logout endpoint, and OpenID Connect RP-Initiated Logout 1.0."""
    try:
        logout_request = read(request)
        client = requesting_client(logout_request)
        location = destination(logout_request, client)
        if request.method == "POST":
            # Once more as GET: a form of another site brings no Lax cookie, the navigation after it does.
            return errors.redirect(resume.url(Kind.LOGOUT, urlencode(logout_request.parameters)), 303)
        session = session_cookie.live_session(request, logout_request.pool)
        if session is not None and must_confirm(logout_request, client):
            return errors.redirect(logout_request.carried_to(reverse("hosted:sign_out")), 303)
        check_person(logout_request, session)
    except PageRefusal as problem:
        return errors.redirect_to_error_page(problem)
    if request.method == "GET" and session is not None:
        location = saml_logouts.leave(logout_request.pool, session, onward=location)
    response = errors.redirect(location, 302)
    if request.method == "GET":
        end_session(request, logout_request, session)
        session_cookie.forget(request, response, session_cookie.name(request, logout_request.pool))
    return response


def read(request: HttpRequest) -> LogoutRequest:
    """Return the request as it was sent."""
    pool = browser.pool_of(request)
    # An image or a frame of a neighbouring site brings Lax cookies too; a person who leaves navigates a whole window.
    fetch = request.headers.get("Sec-Fetch-Mode", "navigate"), request.headers.get("Sec-Fetch-Dest", "document")
    if fetch != ("navigate", "document"):
        raise PageRefusal("invalid_request")
    sent = browser.parameters_of(request)
    if sent.repeated:
        raise PageRefusal("invalid_request")
    return LogoutRequest(pool, dict(sent.values), browser.hint_claims(pool, sent.values.get("id_token_hint")))


def requesting_client(logout_request: LogoutRequest) -> AppClient | None:
    """Return the client that asks, by its id or by the ID token it shows; the two must agree.

    None: nobody says who asks. Then nothing may be asked but to be signed out, nor a hint be shown that does not hold.
    """
    hinted_client_id = str(logout_request.hint.get("aud", ""))
    client_id = logout_request.parameters.get("client_id") or hinted_client_id
    shows_nothing = "id_token_hint" in logout_request.parameters and not logout_request.hint
    if not client_id:
        if logout_request.names_destination or shows_nothing:
            raise PageRefusal("no_client")
        return None
    if hinted_client_id and client_id != hinted_client_id:
        raise PageRefusal("invalid_request")
    try:
        client = access.client_in(logout_request.pool, client_id)
    except ClientNotFound:
        if (
            logout_request.hint
            and not logout_request.names_destination
            and "client_id" not in logout_request.parameters
        ):
            return None  # the app is gone, and nothing of it is needed
        raise PageRefusal("unknown_client") from None
    if shows_nothing and openid.rules(client).asks_before_logout:
        raise PageRefusal("invalid_request", client.client_id)
    return client


def destination(logout_request: LogoutRequest, client: AppClient | None) -> str:
    """Return where the browser goes on: a registered logout URL, the login page, or our own last page."""
    parameters = logout_request.parameters
    if client is None or not logout_request.names_destination:
        return reverse("hosted:signed_out")
    after = parameters.get("logout_uri") or parameters.get("post_logout_redirect_uri")
    if after is not None:
        if after not in client.logout_urls:
            raise errors.redirect_mismatch(client, after, after_logout=True)
        state = {"state": parameters["state"]} if "logout_uri" not in parameters and "state" in parameters else {}
        return errors.with_query(after, state) if state else after
    if "redirect_uri" not in parameters or "response_type" not in parameters:
        if logout_request.hint:
            return reverse("hosted:signed_out")
        raise PageRefusal("invalid_request", client.client_id)
    if parameters["redirect_uri"] not in client.callback_urls:
        raise errors.redirect_mismatch(client, parameters["redirect_uri"])
    return resume.sign_in_url(parameters)


def must_confirm(logout_request: LogoutRequest, client: AppClient | None) -> bool:
    """Say whether the person is asked first: any page can lead here, and only an ID token shows that an app does.

    Cognito's logout, which names an app and a place of it, asks nobody.
    """
    if logout_request.hint:
        return False
    return client is None or not logout_request.names_destination or openid.rules(client).asks_before_logout


def check_person(logout_request: LogoutRequest, session: BrowserSession | None) -> None:
    """Refuse to sign out another person than the application speaks of."""
    if session is not None and logout_request.hint.get("sub", str(session.person.sub)) != str(session.person.sub):
        raise PageRefusal("other_account")


def end_session(request: HttpRequest, logout_request: LogoutRequest, session: BrowserSession | None) -> None:
    """End the browser's session, if it has one."""
    if session is None:
        return
    sessions.end(logout_request.pool, session, by=request_context.user(request, session.person.sub))
