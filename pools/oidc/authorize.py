"""/oauth2/authorize: two checks before a redirect is safe, then the rest in order, then sign-in or a code.

The request lives in the URL (DECISIONS.md 8): the login pages carry it along and come back here with it.
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
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from identity.foundation import clock, connections, names, sealing
from identity.foundation.errors import ClientNotFound
from pools.oidc import browser, errors
from pools.oidc.errors import PageRefusal, refusal
from pools.services import access
from pools.services.pools import openid
from pools.services.tokens import interactions, tokens
from pools.services.tokens.interactions import Kind
from pools.web import resume, session_cookie

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pools.models import AppClient, UserPool
    from pools.models.hot import Browser

log = structlog.get_logger(__name__)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
NEEDS_OPENID = frozenset({"email", "phone", "profile"})
NONCE_LENGTH = 2048
FRONT = frozenset({"token", "id_token"})
"""What no response type gives in a query (OAuth 2.0 Multiple Response Type Encoding Practices section 5)."""
OLDEST = 2**31 - 1
"""Seconds: the greatest ``max_age`` that is read."""
SINCE = interactions.SIGNED_IN_SINCE
"""The parameter that holds when the request was here (milliseconds), so that a sign-in after it answers
``prompt=login``. Sealed for pool and request: one of another request, or that somebody made up, counts as absent, and
so does an old one."""
SINCE_LIFE = timedelta(hours=1)
SINCE_LENGTH = 200
"""At most, name included."""
FOLLOWED = timedelta(minutes=1)
"""How long a sign-in that answered this very request stays as young as it was: while its redirect is followed."""


@dataclass(slots=True)
class Asked:
    """An authorization request on its way through the checks."""

    pool: UserPool
    given: dict[str, str]
    repeated: frozenset[str]
    client: AppClient = field(init=False)
    redirect_uri: str = field(init=False)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes asked for, once each; the client's own where none is."""
        return tuple(dict.fromkeys(self.given.get("scope", "").split())) or tuple(self.client.scopes)

    @property
    def prompts(self) -> frozenset[str]:
        """Return the prompts asked for."""
        return frozenset(self.given.get("prompt", "").split())


# -- before redirects are safe: failures are shown on a page, never redirected


def client_is_known(asked: Asked) -> None:
    """Refuse a client that is not this pool's: another pool's is unknown here."""
    client_id = asked.given.get("client_id", "")
    if "client_id" in asked.repeated:
        raise PageRefusal("invalid_request")
    if not client_id:
        raise PageRefusal("no_client")
    try:
        asked.client = access.client_in(asked.pool, client_id)
    except ClientNotFound:
        raise PageRefusal("unknown_client") from None


def redirect_uri_is_registered(asked: Asked) -> None:
    """Refuse a redirect URI that is not one of the client's, character by character (RFC 9700 section 2.1)."""
    redirect_uri = asked.given.get("redirect_uri", "")
    if "redirect_uri" in asked.repeated or redirect_uri not in asked.client.callback_urls:
        raise errors.redirect_mismatch(asked.client, redirect_uri)
    asked.redirect_uri = redirect_uri


BEFORE_REDIRECTS_ARE_SAFE = (client_is_known, redirect_uri_is_registered)


# -- the rest: failures go to the client


def pages_can_carry_it(asked: Asked) -> None:
    """Refuse what is too long for the login pages: they would send nobody back."""
    if len(urlencode(own(asked))) + SINCE_LENGTH > interactions.CARRIED:
        raise refusal("invalid_request", "The request is too long.")


def nothing_is_repeated(asked: Asked) -> None:
    """Refuse a parameter that comes twice (RFC 6749 section 3.1)."""
    if asked.repeated:
        raise refusal("invalid_request", "A parameter is repeated.")


def request_is_plain(asked: Asked) -> None:
    """Refuse request objects, which are not read (OpenID Connect Core section 3.1.2.6 names the errors)."""
    for name in ("request", "request_uri", "registration"):
        if name in asked.given:
            raise refusal(f"{name}_not_supported", f"The parameter {name} is not supported.")


def response_type_is_allowed(asked: Asked) -> None:
    """Refuse all but the code grant, of a client that may use it."""
    response_type = asked.given.get("response_type")
    if response_type is None:
        raise refusal("invalid_request", "The parameter response_type is missing.")
    if response_type not in {"code", "token"}:
        raise refusal(openid.rules(asked.client).unknown_response_type, "The response_type is not supported.")
    flow = "code" if response_type == "code" else "implicit"
    if not asked.client.oauth_enabled or flow not in asked.client.oauth_flows:
        raise refusal("unauthorized_client", "The client may not use this response_type.")
    if response_type == "token":
        raise refusal("unsupported_response_type", "The implicit grant is not available in this release.")


def response_mode_is_supported(asked: Asked) -> None:
    """Refuse any place for the answer but the query of the redirect URI."""
    if asked.given.get("response_mode", "query") != "query":
        raise refusal("invalid_request", "The response_mode is not supported.")


def scopes_are_allowed(asked: Asked) -> None:
    """Refuse scopes that are not the client's, and those that describe a person without openid."""
    scopes = set(asked.scopes)
    if not scopes or not scopes <= set(asked.client.scopes):
        raise refusal("invalid_scope", "A scope is not known or not allowed.")
    if "scope" in asked.given and scopes & NEEDS_OPENID and "openid" not in scopes:
        raise refusal("invalid_scope", "The scopes email, phone and profile need openid.")


def resource_is_absent(asked: Asked) -> None:
    """Refuse resource indicators (RFC 8707), since a token without its audience would be a silent no."""
    if "resource" in asked.given:
        raise refusal("invalid_target", "Resource indicators are not available in this release.")


def pkce_is_well_formed(asked: Asked) -> None:
    """Refuse a challenge without method S256, half a challenge, and none where it is due (RFC 7636, RFC 9700)."""
    challenge, method = asked.given.get("code_challenge"), asked.given.get("code_challenge_method")
    if challenge is None and method is None:
        if openid.rules(asked.client).requires_pkce:
            raise refusal("invalid_request", "The parameter code_challenge is missing.")
        return
    if method != "S256":
        raise refusal("invalid_request", "The code_challenge_method must be S256.")
    if not CHALLENGE.fullmatch(challenge or ""):
        raise refusal("invalid_request", "The code_challenge is missing or malformed.")


def nonce_fits(asked: Asked) -> None:
    """Refuse a nonce too long to be kept."""
    if len(asked.given.get("nonce", "")) > NONCE_LENGTH:
        raise refusal("invalid_request", "The nonce is too long.")


def prompt_is_consistent(asked: Asked) -> None:
    """Refuse unknown prompts, and none beside another (OpenID Connect Core section 3.1.2.1)."""
    if not asked.prompts <= PROMPTS or ("none" in asked.prompts and len(asked.prompts) > 1):
        raise refusal("invalid_request", "The prompt is not supported.")


def max_age_is_a_number(asked: Asked) -> None:
    """Refuse a greatest age that is not in whole seconds."""
    age = asked.given.get("max_age", "0")
    if not (age.isascii() and age.isdigit() and len(age) <= len(str(OLDEST)) and int(age) <= OLDEST):
        raise refusal("invalid_request", f"The max_age is not a number of seconds from 0 to {OLDEST}.")


def provider_is_known(asked: Asked) -> None:
    """Refuse any identity provider but the pool's own directory, the only one of this release."""
    if asked.given.get("identity_provider", "COGNITO") != "COGNITO" or "idp_identifier" in asked.given:
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
        asked = read(request)
        run(BEFORE_REDIRECTS_ARE_SAFE, asked)
    except PageRefusal as problem:
        return errors.page(problem)
    try:
        pages_can_carry_it(asked)
        if request.method == "POST":
            # Once more as GET: a form of another site brings no Lax cookie, the navigation after it does.
            return errors.moved(resume.url(Kind.OAUTH_REQUEST, urlencode(asked.given)), 303)
        run(CHECKS, asked)
        session = session_cookie.current(request, asked.pool)
        if session is None or not is_recent_enough(asked, session):
            return to_sign_in(asked, again=session is not None)
        if not is_the_one_meant(asked, session):
            raise refusal("login_required", "Another user is signed in.")
        return with_code(asked, session)
    except OAuth2Error as problem:
        return back(asked, {"error": problem.error, "error_description": problem.description})
    except connections.UNAVAILABLE as problem:
        # RFC 6749 section 4.1.2.1: no status reaches the client by way of a browser. Its address is known by now.
        log.warning("authorize_unavailable", **connections.described(problem))
        return back(asked, {"error": errors.UNAVAILABLE, "error_description": errors.TRY_LATER})


def read(request: HttpRequest) -> Asked:
    """Return the request as it was sent."""
    pool = browser.pool_of(request)
    sent = browser.parameters_of(request)
    return Asked(pool, dict(sent.values), sent.repeated)


def run(checks: tuple[Callable[[Asked], None], ...], asked: Asked) -> None:
    """Run the checks in order; the first that fails ends it."""
    for check in checks:
        check(asked)


def is_recent_enough(asked: Asked, session: Browser) -> bool:
    """Say whether a session answers what the client wants to know: signed in at all, lately, or just now."""
    age = int(asked.given.get("max_age", "0"))
    elapsed = clock.now() - session.auth_time
    is_too_old = age > 0 and elapsed > timedelta(seconds=age)
    if not (is_too_old or asks_again(asked)):
        return True
    if is_too_old and elapsed > timedelta(seconds=age) + FOLLOWED:
        return False
    return was_here_before(asked, session.auth_time)


def asks_again(asked: Asked) -> bool:
    """Say whether no session of before is good enough; an age of nothing means that (OpenID Connect Core 3.1.2.1)."""
    return bool(asked.prompts & interactions.ASKS_AGAIN) or int(asked.given.get("max_age", "1")) == 0


def was_here_before(asked: Asked, signed_in: datetime) -> bool:
    """Say whether we noted this request on its way to the login page before that sign-in, and lately."""
    try:
        noted = sealing.unseal_text(asked.given.get(SINCE, ""), purpose=since_purpose(asked))
    except sealing.Unsealable:
        return False
    oldest = milliseconds(clock.now() - SINCE_LIFE)
    return oldest <= int(noted) <= signed_in.timestamp() * 1000


def note(asked: Asked, at: datetime) -> str:
    """Return the value of :data:`SINCE` for a request that is here at this moment."""
    return sealing.seal_text(str(milliseconds(at)).encode(), purpose=since_purpose(asked))


def milliseconds(moment: datetime) -> int:
    """Return a moment as :data:`SINCE` has it."""
    return int(moment.timestamp() * 1000)


def since_purpose(asked: Asked) -> str:
    """Return what the note of :data:`SINCE` is bound to: pool and request."""
    request = hashlib.sha256(urlencode(sorted(own(asked).items())).encode()).hexdigest()
    return f"since:{asked.pool.public_id}:{request}"


def own(asked: Asked) -> dict[str, str]:
    """Return what the application asked, as the login pages carry it: without what is ours."""
    ours = interactions.OF_ONE_PAGE | {SINCE}
    return {name: value for name, value in asked.given.items() if name not in ours}


def is_the_one_meant(asked: Asked, session: Browser) -> bool:
    """Say whether a session is that of the person whom the client's ID token names, if it shows one that holds."""
    sub = str(session.person.sub)
    return bool(browser.hint_claims(asked.pool, asked.given.get("id_token_hint")).get("sub", sub) == sub)


def to_sign_in(asked: Asked, *, again: bool) -> HttpResponse:
    """Return the way to the login page, which comes back here; or login_required where no page may be shown."""
    if "none" in asked.prompts:
        raise refusal("login_required", "The user must sign in.")
    carried = own(asked)
    if again or asked.prompts & interactions.ASKS_AGAIN or "max_age" in carried:
        carried[SINCE] = note(asked, clock.now())
    return errors.moved(resume.sign_in_url(carried), 303)


def with_code(asked: Asked, session: Browser) -> HttpResponse:
    """Return the client's redirect URI with a code bound to everything that was asked."""
    code = tokens.mint_code(
        asked.client,
        session,
        redirect_uri=asked.redirect_uri,
        scopes=asked.scopes,
        nonce=asked.given.get("nonce", ""),
        code_challenge=asked.given.get("code_challenge", ""),
    )
    return back(asked, {"code": code})


def back(asked: Asked, said: dict[str, str]) -> HttpResponse:
    """Return the way to the client, with its state and our issuer (RFC 9207)."""
    state = {"state": asked.given["state"]} if "state" in asked.given else {}
    said = {**said, **state, "iss": names.issuer(asked.pool.public_id)}
    return errors.moved(errors.with_query(asked.redirect_uri, said, fragment=is_for_the_fragment(asked)), 302)


def is_for_the_fragment(asked: Asked) -> bool:
    """Say whether the client looks for its answer in the fragment: for tokens at once, errors too (OIDC Core 3.2.2.6).

    So it does for types that are refused here.
    """
    return not FRONT.isdisjoint(asked.given.get("response_type", "").split())
