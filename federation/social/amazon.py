"""Login with Amazon."""

from __future__ import annotations

from federation import details as checks
from federation.code_flow import CodeFlow
from federation.details import Table


class LoginWithAmazon(CodeFlow):
    """``LoginWithAmazon``: OAuth 2.0 and a profile; no ID token."""

    table = Table(
        required=("client_id", "client_secret", "authorize_scopes"),
        missing="clientId, clientSecret and authorizeScopes are all required idp details.",
        checks={
            "client_id": checks.name_problems,
            "client_secret": checks.name_problems,
            "authorize_scopes": checks.scope_problems,
            **checks.ENDPOINTS,
        },
        defaults={
            "attributes_url": "https://api.amazon.com/user/profile",
            "attributes_url_add_attributes": "false",
            "authorize_url": "https://www.amazon.com/ap/oa",
            "token_request_method": "POST",
            "token_url": "https://api.amazon.com/auth/o2/token",
        },
    )
