"""/oauth2/authorize: two checks before a redirect is safe, then the rest in order, then sign-in or a code.

The request lives in the URL: the login pages carry it along and come back here with it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from authlib.oauth2.base import OAuth2Error
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from identity.foundation import clock, connections, names, sealing
from identity.foundation.errors import ClientNotFound
from pools.oidc import browser, errors
from pools.oidc.errors import PageRefusal, refusal
from pools.services import access
from pools.services.pools import app_clients, openid, resource_servers
from pools.services.providers import trips
from pools.services.tokens import authorization_codes, interactions
from pools.services.tokens.bound import Bound
from pools.services.tokens.interactions import Kind
from pools.web import consent, resume, session_cookie
from pools.web.consent import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pools.models import AppClient, UserPool
    from pools.models.hot import BrowserSession

log = structlog.get_logger(__name__)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
NEEDS_OPENID = frozenset({"email", "phone", "profile"})
NONCE_LENGTH = 2048
DECLINED = "access_denied"
"""The error of somebody who was asked, and of nothing else."""
FRONT_CHANNEL_TYPES = frozenset({"token", "id_token"})
"""What no response type gives in a query (OAuth 2.0 Multiple Response Type Encoding Practices section 5)."""
MOST_SECONDS = 2**31 - 1
"""Seconds: the greatest ``max_age`` that is read."""
SINCE = interactions.SIGNED_IN_SINCE
"""The parameter that holds when the request was here (milliseconds), so that a sign-in after it answers
``prompt=login``. Sealed for pool and request: one of another request, or that somebody made up, counts as absent, and
so does an old one."""
SINCE_LIFE = timedelta(hours=1)
OWN_LENGTH = 400
"""How long what is ours of a request is at most, names included: this, and what our page for consent answers."""
REDIRECT_TIME = timedelta(minutes=1)
"""How long a sign-in that answered this very request stays as young as it was: while its redirect is followed."""


@dataclass(slots=True)
class AuthorizationRequest:
    """An authorization request on its way through the checks."""

    pool: UserPool
    parameters: dict[str, str]
    repeated: frozenset[str]
    client: AppClient = field(init=False)
    redirect_uri: str = field(init=False)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes asked for, once each; the client's own where none is."""
        return tuple(dict.fromkeys(self.parameters.get("scope", "").split())) or resource_servers.granted_scopes(
            self.client
        )

    @property
    def prompts(self) -> frozenset[str]:
        """Return the prompts asked for."""
        return frozenset(self.parameters.get("prompt", "").split())


# -- before redirects are safe: failures are shown on a page, never redirected


def client_is_known(oauth_request: AuthorizationRequest) -> None:
    """Refuse a client that is not this pool's: another pool's is unknown here."""
    client_id = oauth_request.parameters.get("client_id", "")
    if "client_id" in oauth_request.repeated:
        raise PageRefusal("invalid_request")
    if not client_id:
        raise PageRefusal("no_client")
    try:
        oauth_request.client = access.client_in(oauth_request.pool, client_id)
    except ClientNotFound:
        raise PageRefusal("unknown_client") from None


def redirect_uri_is_registered(oauth_request: AuthorizationRequest) -> None:
    """Refuse a redirect URI that is not one of the client's, character by character (RFC 9700 section 2.1).

    A request without one means the client's default, where it has one.
    """
    redirect_uri = oauth_request.parameters.get("redirect_uri") or app_clients.default_redirect(oauth_request.client)
    if "redirect_uri" in oauth_request.repeated or redirect_uri not in oauth_request.client.callback_urls:
        raise errors.redirect_mismatch(oauth_request.client, redirect_uri)
    oauth_request.redirect_uri = redirect_uri


BEFORE_REDIRECTS_ARE_SAFE = (client_is_known, redirect_uri_is_registered)


# -- the rest: failures go to the client


def pages_can_carry_it(oauth_request: AuthorizationRequest) -> None:
    """Refuse what is too long for the login pages: they would send nobody back."""
    if len(urlencode(application_parameters(oauth_request))) + OWN_LENGTH > interactions.CARRIED:
        raise refusal("invalid_request", "The request is too long.")


def nothing_is_repeated(oauth_request: AuthorizationRequest) -> None:
    """Refuse a parameter that comes twice (RFC 6749 section 3.1)."""
    if oauth_request.repeated:
        raise refusal("invalid_request", "A parameter is repeated.")


def request_is_plain(oauth_request: AuthorizationRequest) -> None:
    """Refuse request objects, which are not read (OpenID Connect Core section 3.1.2.6 names the errors)."""
    for name in ("request", "request_uri", "registration"):
        if name in oauth_request.parameters:
            raise refusal(f"{name}_not_supported", f"The parameter {name} is not supported.")


def response_type_is_allowed(oauth_request: AuthorizationRequest) -> None:
    """Refuse all but the code grant, of a client that may use it."""
    response_type = oauth_request.parameters.get("response_type")
    if response_type is None:
        raise refusal("invalid_request", "The parameter response_type is missing.")
    if response_type not in {"code", "token"}:
        raise refusal(openid.rules(oauth_request.client).unknown_response_type, "The response_type is not supported.")
    flow = "code" if response_type == "code" else "implicit"
    if not oauth_request.client.oauth_enabled or flow not in oauth_request.client.oauth_flows:
        raise refusal("unauthorized_client", "The client may not use this response_type.")
    if response_type == "token":
        raise refusal("unsupported_response_type", "The implicit grant is not available in this release.")


def response_mode_is_supported(oauth_request: AuthorizationRequest) -> None:
    """Refuse any place for the answer but the query of the redirect URI."""
    if oauth_request.parameters.get("response_mode", "query") != "query":
        raise refusal("invalid_request", "The response_mode is not supported.")


def scopes_are_allowed(oauth_request: AuthorizationRequest) -> None:
    """Refuse scopes that are not the client's, and those that describe a person without openid."""
    scopes = set(oauth_request.scopes)
    if not scopes or not scopes <= set(resource_servers.granted_scopes(oauth_request.client)):
        raise refusal("invalid_scope", "A scope is not known or not allowed.")
    if "scope" in oauth_request.parameters and scopes & NEEDS_OPENID and "openid" not in scopes:
        raise refusal("invalid_scope", "The scopes email, phone and profile need openid.")


def resource_is_absent(oauth_request: AuthorizationRequest) -> None:
    """Refuse resource indicators (RFC 8707), since a token without its audience would be a silent no."""
    if "resource" in oauth_request.parameters:
        raise refusal("invalid_target", "Resource indicators are not available in this release.")


def pkce_is_well_formed(oauth_request: AuthorizationRequest) -> None:
    """Refuse a challenge without method S256, half a challenge, and none where it is due (RFC 7636, RFC 9700)."""
    challenge, method = (
        oauth_request.parameters.get("code_challenge"),
        oauth_request.parameters.get("code_challenge_method"),
    )
    if challenge is None and method is None:
        if openid.rules(oauth_request.client).requires_pkce:
            raise refusal("invalid_request", "The parameter code_challenge is missing.")
        return
    if method != "S256":
        raise refusal("invalid_request", "The code_challenge_method must be S256.")
    if not CHALLENGE.fullmatch(challenge or ""):
        raise refusal("invalid_request", "The code_challenge is missing or malformed.")


def nonce_fits(oauth_request: AuthorizationRequest) -> None:
    """Refuse a nonce too long to be kept."""
    if len(oauth_request.parameters.get("nonce", "")) > NONCE_LENGTH:
        raise refusal("invalid_request", "The nonce is too long.")


def prompt_is_consistent(oauth_request: AuthorizationRequest) -> None:
    """Refuse unknown prompts, and none beside another (OpenID Connect Core section 3.1.2.1)."""
    if not oauth_request.prompts <= PROMPTS or ("none" in oauth_request.prompts and len(oauth_request.prompts) > 1):
        raise refusal("invalid_request", "The prompt is not supported.")


def max_age_is_a_number(oauth_request: AuthorizationRequest) -> None:
    """Refuse a greatest age that is not in whole seconds."""
    age = oauth_request.parameters.get("max_age", "0")
    if not (age.isascii() and age.isdigit() and len(age) <= len(str(MOST_SECONDS)) and int(age) <= MOST_SECONDS):
        raise refusal("invalid_request", f"The max_age is not a number of seconds from 0 to {MOST_SECONDS}.")


def provider_is_known(oauth_request: AuthorizationRequest) -> None:
    """Refuse an identity provider that is not the app's, by whatever name it is asked for."""
    asked = oauth_request.parameters
    if trips.names_provider(asked) and trips.asked(oauth_request.client, asked) is None:
        raise refusal("invalid_request", "The identity provider is not known.")


CHECKS = (
    nothing_is_repeated,
    request_is_plain,
    response_type_is_allowed,
    response_mode_is_supported,
    scopes_are_allowed,
    resource_is_absent,
    pkce_is_well_formed,
    nonce_fits,
    prompt_is_consistent,
    max_age_is_a_number,
    provider_is_known,
)


@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """RFC 6749 section 4.1.1; OpenID Connect Core section 3.1.2.1."""
    try:
        oauth_request = read(request)
        run(BEFORE_REDIRECTS_ARE_SAFE, oauth_request)
    except PageRefusal as problem:
        return errors.redirect_to_error_page(problem)
    try:
        pages_can_carry_it(oauth_request)
        if request.method == "POST":
            # Once more as GET: a form of another site brings no Lax cookie, the navigation after it does.
            return errors.redirect(resume.url(Kind.OAUTH_REQUEST, urlencode(oauth_request.parameters)), 303)
        run(CHECKS, oauth_request)
        session = session_cookie.signed_in_session(request, oauth_request.pool)
        if session is None or not is_recent_enough(oauth_request, session):
            return redirect_to_sign_in(oauth_request, again=session is not None)
        if not is_the_person_meant(oauth_request, session):
            raise refusal("login_required", "Another user is signed in.")
        if must_ask_for_consent(oauth_request, session):
            return redirect_to_consent(oauth_request)
        return redirect_with_code(oauth_request, session)
    except OAuth2Error as problem:
        return tell_refusal(oauth_request, problem.error, problem.description)
    except connections.UNAVAILABLE as problem:
        # RFC 6749 section 4.1.2.1: no status reaches the client by way of a browser. Its address is known by now.
        log.warning("authorize_unavailable", **connections.described(problem))
        return tell_refusal(oauth_request, errors.UNAVAILABLE, errors.TRY_LATER)


def read(request: HttpRequest) -> AuthorizationRequest:
    """Return the request as it was sent."""
    pool = browser.pool_of(request)
    sent = browser.parameters_of(request)
    return AuthorizationRequest(pool, dict(sent.values), sent.repeated)


def run(checks: tuple[Callable[[AuthorizationRequest], None], ...], oauth_request: AuthorizationRequest) -> None:
    """Run the checks in order; the first that fails ends it."""
    for check in checks:
        check(oauth_request)


def is_recent_enough(oauth_request: AuthorizationRequest, session: BrowserSession) -> bool:
    """Say whether a session answers what the client wants to know: signed in at all, lately, or just now."""
    age = int(oauth_request.parameters.get("max_age", "0"))
    elapsed = clock.now() - session.auth_time
    is_too_old = age > 0 and elapsed > timedelta(seconds=age)
    if not (is_too_old or asks_again(oauth_request)):
        return True
    if is_too_old and elapsed > timedelta(seconds=age) + REDIRECT_TIME:
        return False
    return was_here_before(oauth_request, session.auth_time)


def asks_again(oauth_request: AuthorizationRequest) -> bool:
    """Say whether no session of before is good enough; an age of nothing means that (OpenID Connect Core 3.1.2.1)."""
    return (
        bool(oauth_request.prompts & interactions.ASKS_AGAIN) or int(oauth_request.parameters.get("max_age", "1")) == 0
    )


def was_here_before(oauth_request: AuthorizationRequest, signed_in: datetime) -> bool:
    """Say whether we noted this request on its way to the login page before that sign-in, and lately."""
    try:
        noted = sealing.unseal_text(oauth_request.parameters.get(SINCE, ""), purpose=since_purpose(oauth_request))
    except sealing.Unsealable:
        return False
    oldest = epoch_milliseconds(clock.now() - SINCE_LIFE)
    return oldest <= int(noted) <= signed_in.timestamp() * 1000


def seal_moment(oauth_request: AuthorizationRequest, at: datetime) -> str:
    """Return the value of :data:`SINCE` for a request that is here at this moment."""
    return sealing.seal_text(str(epoch_milliseconds(at)).encode(), purpose=since_purpose(oauth_request))


def epoch_milliseconds(moment: datetime) -> int:
    """Return a moment as :data:`SINCE` has it."""
    return int(moment.timestamp() * 1000)


def since_purpose(oauth_request: AuthorizationRequest) -> str:
    """Return what the note of :data:`SINCE` is bound to: pool and request."""
    request = hashlib.sha256(urlencode(sorted(application_parameters(oauth_request).items())).encode()).hexdigest()
    return f"since:{oauth_request.pool.public_id}:{request}"


def application_parameters(oauth_request: AuthorizationRequest) -> dict[str, str]:
    """Return what the application asked, as the login pages carry it: without what is ours."""
    return interactions.of_application(oauth_request.parameters)


def is_the_person_meant(oauth_request: AuthorizationRequest, session: BrowserSession) -> bool:
    """Say whether a session is that of the person whom the client's ID token names, if it shows one that holds."""
    sub = str(session.person.sub)
    return bool(
        browser.hint_claims(oauth_request.pool, oauth_request.parameters.get("id_token_hint")).get("sub", sub) == sub
    )


def must_ask_for_consent(oauth_request: AuthorizationRequest, session: BrowserSession) -> bool:
    """Say whether the person has still to agree that the app gets what it asks for; who declined is told the app."""
    if not app_clients.asks_consent(oauth_request.client):
        return False
    answer = consent.answer_to(oauth_request.pool, session, oauth_request.parameters)
    if answer is Answer.DECLINED:
        raise refusal(DECLINED, "The user declined.")
    return answer is None


def redirect_to_consent(oauth_request: AuthorizationRequest) -> HttpResponse:
    """Return the way to the page that asks; or consent_required where no page may be shown."""
    if "none" in oauth_request.prompts:
        raise refusal("consent_required", "The user must agree.")
    return errors.redirect(f"{reverse('hosted:consent')}?{urlencode(oauth_request.parameters)}", 303)


def redirect_to_sign_in(oauth_request: AuthorizationRequest, *, again: bool) -> HttpResponse:
    """Return the way to the login page, which comes back here; or login_required where no page may be shown."""
    if "none" in oauth_request.prompts:
        raise refusal("login_required", "The user must sign in.")
    carried = application_parameters(oauth_request)
    if again or oauth_request.prompts & interactions.ASKS_AGAIN or "max_age" in carried:
        carried[SINCE] = seal_moment(oauth_request, clock.now())
    return errors.redirect(resume.sign_in_url(carried, at_provider=trips.names_provider(carried)), 303)


def redirect_with_code(oauth_request: AuthorizationRequest, session: BrowserSession) -> HttpResponse:
    """Return the client's redirect URI with a code bound to everything that was asked."""
    code = authorization_codes.issue_code(
        oauth_request.client,
        session,
        redirect_uri=oauth_request.redirect_uri,
        bound=Bound(scopes=tuple(oauth_request.scopes), oauth=True, nonce=oauth_request.parameters.get("nonce", "")),
        code_challenge=oauth_request.parameters.get("code_challenge", ""),
    )
    return redirect_to_client(oauth_request, {"code": code})


def tell_refusal(oauth_request: AuthorizationRequest, error: str, description: str) -> HttpResponse:
    """Return the way to the client with a refusal; to our own page where anybody may have registered the client.

    Else whoever registers one has us send people wherever they like (RFC 9700 section 4.11.2). Who declined has seen
    where that leads.
    """
    client = oauth_request.client
    if app_clients.asks_consent(client) and error != DECLINED:
        log.info("authorize_refused_on_page", client_id=client.client_id, error=error, description=description)
        code = "unavailable" if error == errors.UNAVAILABLE else "invalid_request"
        return errors.redirect_to_error_page(PageRefusal(code, client.client_id))
    return redirect_to_client(oauth_request, {"error": error, "error_description": description})


def redirect_to_client(oauth_request: AuthorizationRequest, answer: dict[str, str]) -> HttpResponse:
    """Return the way to the client, with its state and our issuer (RFC 9207)."""
    state = {"state": oauth_request.parameters["state"]} if "state" in oauth_request.parameters else {}
    answer = {**answer, **state, "iss": names.issuer(oauth_request.pool.public_id)}
    return errors.redirect(
        errors.with_query(oauth_request.redirect_uri, answer, fragment=is_for_the_fragment(oauth_request)), 302
    )


def is_for_the_fragment(oauth_request: AuthorizationRequest) -> bool:
    """Say whether the client looks for its answer in the fragment: for tokens at once, errors too (OIDC Core 3.2.2.6).

    So it does for types that are refused here.
    """
    return not FRONT_CHANNEL_TYPES.isdisjoint(oauth_request.parameters.get("response_type", "").split())
