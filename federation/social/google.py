"""Sign in with Google."""

from __future__ import annotations

import re

from federation import details as checks
from federation.code_flow import CodeFlow
from federation.details import Table

ISSUER = "https://accounts.google.com"


class Google(CodeFlow):
    """``Google``: OpenID Connect with endpoints that are known."""

    table = Table(
        required=("client_id", "client_secret", "authorize_scopes"),
        missing="clientId, clientSecret and authorizeScopes are all required idp details.",
        checks={
            "client_id": checks.name_problems,
            "client_secret": checks.name_problems,
            "authorize_scopes": checks.scope_problems,
            "oidc_issuer": checks.matching(re.escape(ISSUER), f"oidc_issuer of Google is {ISSUER}"),
            **checks.ENDPOINTS,
        },
        defaults={
            "attributes_url": "https://people.googleapis.com/v1/people/me?personFields=",
            "attributes_url_add_attributes": "true",
            "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
            "oidc_issuer": ISSUER,
            "token_request_method": "POST",
            "token_url": "https://www.googleapis.com/oauth2/v4/token",
        },
    )
