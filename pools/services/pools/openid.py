"""Where OpenID Connect and Cognito differ: what each asks of an app, as one value. Pure; who asks for it acts by it.

An app that is *OpenID strict* follows the standards; every other one Cognito, whose clients expect that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pools.models import AppClient
from pools.services.pools import assurance_levels


@dataclass(frozen=True, slots=True)
class OpenIdRules:
    """What holds for an app."""

    types_user_info: bool
    """userInfo says booleans and numbers (OpenID Connect Core section 5.1), not texts."""
    tells_assurance: bool
    """ID tokens have ``acr`` (OpenID Connect Core section 2), whatever the pool says."""
    requires_pkce: bool
    """A code needs a challenge (RFC 9700 section 2.1.1)."""
    asks_before_logout: bool
    """Nobody is signed out without an ID token as hint, or being asked (RP-Initiated Logout section 2)."""
    unknown_response_type: str
    """The error for a ``response_type`` that is none of ours."""
    takes_query: bool
    """The token endpoint reads the query string too."""


COGNITO = OpenIdRules(
    types_user_info=False,
    tells_assurance=False,
    requires_pkce=False,
    asks_before_logout=False,
    unknown_response_type="invalid_request",
    takes_query=True,
)
STRICT = OpenIdRules(
    types_user_info=True,
    tells_assurance=True,
    requires_pkce=False,
    asks_before_logout=True,
    unknown_response_type="unsupported_response_type",  # RFC 6749 section 4.1.2.1
    takes_query=False,
)
STRICT_PUBLIC = replace(STRICT, requires_pkce=True)
"""An app without a secret proves by PKCE alone that a code is its own."""


def rules(client: AppClient) -> OpenIdRules:
    """Return what holds for an app: the one place that reads its switch."""
    if not client.openid_strict:
        return COGNITO
    return STRICT if client.confidential else STRICT_PUBLIC


def tells_assurance(client: AppClient, *, in_id_token: bool) -> bool:
    """Say whether ID tokens of an app, or its access tokens, have ``acr``.

    Both have where the pool names a level of its own. Elsewhere tokens stay as Cognito's were before it had levels, but
    for ID tokens of strict apps.
    """
    return assurance_levels.are_named(client.pool) or (in_id_token and rules(client).tells_assurance)
