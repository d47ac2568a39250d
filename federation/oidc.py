"""Providers that speak OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping

from federation import details as checks
from federation import discovery
from federation.code_flow import CodeFlow
from federation.details import Table, refused
from identity.foundation.errors import OutsideUnavailable


class OpenIdConnect(CodeFlow):
    """``OIDC``. Its endpoints are found by its issuer's discovery document, or given where it has none."""

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

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed by what its issuer tells of itself where an endpoint is not given.

        Raises:
            Invalid: they cannot be right, or an endpoint is neither given nor told.
            Overloaded: too many calls are under way.

        """
        completed = super().check_details(details)
        if all(completed.get(key) for key in discovery.ENDPOINTS):
            return completed
        needed = ("authorize_url", "token_url", "jwks_uri")
        try:
            completed = {**discovery.read(completed["oidc_issuer"]).endpoints, **completed}
        except OutsideUnavailable as problem:
            if not all(completed.get(key) for key in needed):
                raise refused("oidc_issuer", "no_discovery", "Unable to contact well-known endpoint") from problem
        for key in needed:
            if not completed.get(key):
                text = f"The discovery document of oidc_issuer has no {discovery.ENDPOINTS[key]}."
                raise refused(key, "not_discovered", text)
        return completed
