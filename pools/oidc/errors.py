"""What can go wrong, in OAuth's words: one table from domain errors, and the ways a refusal is told.

A refusal goes to the client's redirect URI only once client and URI are known to be right; before, to a page.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from authlib.oauth2.base import OAuth2Error
from django.http import HttpResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import urlencode

from identity.foundation import errors
from identity.foundation.call import Answer
from pools.services.pools import client_registration, redirect_mismatches, registration_settings
from pools.services.triggers import TriggerUnavailable

if TYPE_CHECKING:
    from pools.models import AppClient

UNAVAILABLE = "temporarily_unavailable"
TRY_LATER = "Try again later."
# error, status, description; without one, the refusal's own words. A subclass stands above its base.
TABLE: dict[type[errors.DomainError], tuple[str, int, str]] = {
    errors.ClientRefused: ("invalid_client", 401, "Client authentication failed."),
    errors.ClientNotFound: ("invalid_client", 401, "Client authentication failed."),
    errors.GrantRefused: ("invalid_grant", 400, "The grant is invalid, expired or already used."),
    errors.RefreshRefused: ("invalid_grant", 400, "Invalid Refresh Token."),
    errors.RefreshReused: ("invalid_grant", 400, "Refresh token reuse detected."),
    errors.UserDisabled: ("invalid_grant", 400, "User is disabled."),
    errors.UserNotFound: ("invalid_grant", 400, "The user does not exist."),
    errors.ScopeUnknown: ("invalid_scope", 400, "A scope is not known or not allowed."),
    errors.OAuthFlowRefused: ("unauthorized_client", 400, "The client may not use this grant."),
    errors.FlowNotEnabled: ("unauthorized_client", 400, "The client may not use this grant."),
    errors.TokenOfAnotherClient: ("unauthorized_client", 400, "The token was issued to another client."),
    errors.UnsupportedToken: ("unsupported_token_type", 400, "Only refresh tokens can be revoked."),
    errors.RevocationDisabled: ("invalid_request", 400, "Token revocation is not enabled for this client."),
    errors.PoolNotFound: ("invalid_request", 404, "There is no such user pool."),
    errors.LockedOut: (UNAVAILABLE, 429, "Too many attempts."),
    errors.Overloaded: (UNAVAILABLE, 429, "Too many requests."),
    errors.TooManyAttempts: (UNAVAILABLE, 429, "Too many requests."),
    TriggerUnavailable: ("invalid_request", 400, "A trigger of the user pool cannot be called."),
    errors.LimitExceeded: ("access_denied", 403, "The pool takes no more app clients."),
    errors.OutsideUnavailable: (UNAVAILABLE, 503, TRY_LATER),
    # RFC 7591 section 3.2.2.
    client_registration.MetadataRefused: ("invalid_client_metadata", 400, ""),
    client_registration.RedirectRefused: ("invalid_redirect_uri", 400, ""),
    client_registration.StatementRefused: ("invalid_software_statement", 400, ""),
    client_registration.StatementUnapproved: ("unapproved_software_statement", 400, ""),
    registration_settings.RegistrationRefused: ("access_denied", 403, ""),
}
FALLBACK = ("invalid_request", 400, "The request could not be completed.")


class PageRefusal(Exception):
    """An authorization or logout request that must not lead back to any client: shown on the error page."""

    def __init__(self, code: str, client_id: str = "", *, mismatch: str = "") -> None:
        """Keep the code that the page explains, the client that was named, and the sealed address it asked for."""
        super().__init__(code)
        self.code = code
        self.client_id = client_id
        self.mismatch = mismatch


def redirect_mismatch(client: AppClient, asked: str, *, after_logout: bool = False) -> PageRefusal:
    """Return the refusal of an address that is not registered, which is logged."""
    found = redirect_mismatches.log_mismatch(client, asked, after_logout=after_logout)
    mismatch = redirect_mismatches.sealed(client, found, after_logout=after_logout)
    return PageRefusal("redirect_mismatch", client.client_id, mismatch=mismatch)


def refusal(error: str, description: str, status: int = 400) -> OAuth2Error:
    """Return an OAuth error to raise."""
    return OAuth2Error(error=error, description=description, status_code=status)


def of(problem: errors.DomainError) -> tuple[str, int, str]:
    """Return how OAuth says a domain error: its name, the HTTP status, a text without details."""
    error, status, description = next((TABLE[kind] for kind in type(problem).__mro__ if kind in TABLE), FALLBACK)
    return error, status, description or problem.message


def answer_to_domain_error(problem: errors.DomainError) -> Answer:
    """Return the JSON answer to a domain error."""
    error, status, description = of(problem)
    headers = {"retry-after": str(getattr(problem, "retry_after", 1))} if status in {429, 503} else {}
    return answer(error, description, status, headers)


def answer_to_refusal(problem: Any) -> Answer:  # noqa: ANN401 - Authlib has no types
    """Return the JSON answer to an error of Authlib's or ours."""
    return answer(problem.error, problem.get_error_description() or "", problem.status_code)


def answer(error: str, description: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    """Return OAuth's JSON error (RFC 6749 section 5.2); a failed client authentication names the scheme."""
    extra = {"pragma": "no-cache", **(headers or {})}
    if status == HTTPStatus.UNAUTHORIZED and error == "invalid_client":
        extra["www-authenticate"] = f'Basic realm="token", error="{error}", error_description="{description}"'
    body = {"error": error, "error_description": description} if description else {"error": error}
    return Answer.json(body, status=status, headers=extra)


def redirect(location: str, status: int) -> HttpResponse:
    """Return a redirect, not to be stored. Django's own classes refuse the schemes of mobile applications."""
    return HttpResponse(status=status, headers={"Location": iri_to_uri(location), "Cache-Control": "no-store"})


def redirect_to_error_page(problem: PageRefusal) -> HttpResponse:
    """Return the way to the error page; the client is never told, since it may be an attacker's."""
    carried = {"error": problem.code, "client_id": problem.client_id, "mismatch": problem.mismatch}
    query = {name: value for name, value in carried.items() if value}
    return redirect(f"{reverse('hosted:error')}?{urlencode(query)}", 302)


def with_query(uri: str, parameters: dict[str, str], *, fragment: bool = False) -> str:
    """Return a registered URI with parameters added; a query of its own stays as registered."""
    mark = "#" if fragment else "&" if "?" in uri else "?"
    return uri + mark + urlencode(parameters)
