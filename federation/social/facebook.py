"""Facebook Login."""

from __future__ import annotations

from collections.abc import Mapping

from federation import details as checks
from federation.code_flow import CodeFlow
from federation.details import Table

NEWEST = "v17.0"
"""The version of Amazon's examples, where details name none."""
SCOPES = r"[a-z0-9_]+(?:(?:, ?| )[a-z0-9_]+)*"


class Facebook(CodeFlow):
    """``Facebook``: OAuth 2.0 with commas between scopes, and a profile; no ID token."""

    table = Table(
        required=("client_id", "client_secret", "authorize_scopes"),
        missing="clientId, clientSecret and authorizeScopes are all required idp details.",
        checks={
            "client_id": checks.name_problems,
            "client_secret": checks.name_problems,
            "authorize_scopes": checks.matching(SCOPES, "authorize_scopes of Facebook: names with commas between."),
            "api_version": checks.matching(r"v\d{1,3}\.\d{1,2}", "api_version of Facebook has the form v17.0."),
            **checks.ENDPOINTS,
        },
        defaults={
            "api_version": NEWEST,
            "attributes_url_add_attributes": "true",
            "token_request_method": "GET",
        },
    )

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed by the endpoints of the version. Raises Invalid."""
        completed = super().check_details(details)
        graph = f"https://graph.facebook.com/{completed['api_version']}"
        return {
            "attributes_url": f"{graph}/me?fields=",
            "authorize_url": f"https://www.facebook.com/{completed['api_version']}/dialog/oauth",
            "token_url": f"{graph}/oauth/access_token",
            **completed,
        }
