"""Providers that speak OpenID Connect, found by their issuer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy

from federation import details as checks
from federation import discovery, json_answers
from federation.code_flow import Trip, attributes_url
from federation.detail_fields import CLIENT_ID, CLIENT_SECRET, USUAL, client_secret, endpoint, scopes
from federation.details import Details, Table, refused
from federation.openid_flow import OpenIdFlow
from federation.published import Published
from federation.refusals import forged
from identity.foundation.errors import OutsideUnavailable
from pools.ports import OurSide
from pools.ports.kinds import About, Control, Detail

NEEDED = ("authorize_url", "token_url", "jwks_uri")
ABOUT = About(
    "OIDC",
    "oidc",
    gettext_lazy("OpenID Connect"),
    gettext_lazy("Any provider that speaks it: Okta, Auth0, Entra ID, Keycloak, another pool of Cognate."),
    gettext_lazy(
        "Register a web application at the provider, with the redirect URI above. It gives you a client ID, and a "
        "client secret if the application keeps one."
    ),
    (
        Detail(
            "oidc_issuer",
            gettext_lazy("Issuer"),
            gettext_lazy(
                "The provider’s own address, as its tokens name it. Below it lies "
                "/.well-known/openid-configuration, from which everything else is read."
            ),
            Control.ADDRESS,
        ),
        Detail("client_id", CLIENT_ID, gettext_lazy("What the provider calls this pool.")),
        client_secret(
            CLIENT_SECRET,
            gettext_lazy("Leave it empty for an application without one: the code is proven by PKCE alone."),
            is_required=False,
        ),
        scopes("openid email profile"),
        Detail(
            "attributes_request_method",
            gettext_lazy("Ask for userinfo by"),
            gettext_lazy("GET fits almost every provider."),
            Control.ONE_OF,
            initial="GET",
            options={"GET": "GET", "POST": "POST"},
        ),
    ),
    (
        endpoint("authorize_url", gettext_lazy("Authorization endpoint")),
        endpoint("token_url", gettext_lazy("Token endpoint")),
        endpoint("attributes_url", gettext_lazy("Userinfo endpoint")),
        endpoint("jwks_uri", gettext_lazy("Address of the keys (JWKS)")),
    ),
    mapping=USUAL,
    subject_claim="sub",
    has_levels=True,
)


class OpenIdConnect(OpenIdFlow):
    """``OIDC``. Its endpoints are found by its issuer's discovery document, or given where it has none."""

    about = ABOUT
    table = Table(
        required=("client_id", "authorize_scopes", "oidc_issuer", "attributes_request_method"),
        missing="clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details.",
        checks={
            "client_id": checks.name_problems,
            "client_secret": checks.name_problems,
            "authorize_scopes": checks.scope_problems,
            "oidc_issuer": checks.issuer_problems,
            "attributes_request_method": checks.among("POST", "GET"),
            "attributes_url_add_attributes": checks.among("true", "false"),
            **dict.fromkeys(discovery.ENDPOINTS, checks.url_problems),
        },
        defaults={"attributes_url_add_attributes": "false"},
    )
    understands = ("login_hint", "prompt", "acr_values")

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed by what its issuer tells of itself where an endpoint is not given.

        Raises:
            Invalid: they cannot be right, or an endpoint is neither given nor told.
            Overloaded: too many calls are under way.

        """
        completed = super().check_details(details)
        if all(completed.get(key) for key in discovery.ENDPOINTS):
            return completed
        try:
            completed = {**discovery.fetch(completed["oidc_issuer"]).endpoints, **completed}
        except OutsideUnavailable as problem:
            if not all(completed.get(key) for key in NEEDED):
                raise refused("oidc_issuer", "no_discovery", "Unable to contact well-known endpoint") from problem
        for key in NEEDED:
            if not completed.get(key):
                text = f"The discovery document of oidc_issuer has no {discovery.ENDPOINTS[key]}."
                raise refused(key, "not_discovered", text)
        return completed

    def leave(self, details: Mapping[str, str], ours: OurSide, *, state: str, session: Mapping[str, str]) -> str:
        """Return its ``end_session_endpoint`` (OpenID Connect RP-Initiated Logout 1.0, section 2), as our client there.

        No ID token is kept to be shown as a hint: the provider may ask before it signs anybody out.
        """
        del session
        end = discovery.read(details["oidc_issuer"]).end_session
        asked = {"client_id": details["client_id"], "post_logout_redirect_uri": ours.signed_out, "state": state}
        return f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}" if end else ""

    def issuers(self, details: Details) -> Collection[str]:
        """Return the configured issuer's names."""
        return discovery.names(details["oidc_issuer"])

    def tells_issuer(self, details: Details) -> bool:
        """Say what discovery says. A provider without such a document promises nothing."""
        try:
            return discovery.read(details["oidc_issuer"]).tells_issuer
        except OutsideUnavailable:
            return False

    def published(self, details: Details) -> Iterator[tuple[str, str, Published[Any]]]:
        """Yield the issuer's discovery document, and the keys."""
        yield "discovery", details["oidc_issuer"], discovery.documents
        yield from super().published(details)

    def jwks_uri(self, details: Details) -> str:
        """Return what is configured."""
        return details["jwks_uri"]

    def more_claims(self, trip: Trip, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return userinfo, which must be about the same person (OpenID Connect Core 5.3.2)."""
        if not trip.details.get("attributes_url"):
            return {}
        told = json_answers.profile(
            self.address(attributes_url(trip.details, trip.wanted)),
            token=trip.tokens.access_token,
            method=trip.details["attributes_request_method"],
        )
        if told.get("sub") != known["sub"]:
            raise forged("userinfo: sub is somebody else")
        return told
