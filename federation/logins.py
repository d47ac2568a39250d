"""Who verifies logins of providers that are not pools of ours. Three readable tables.

A provider of the public that is missing here cannot be named by an identity pool: creating one says so. Twitter's
logins are OAuth 1.0a, and Digits is no more.
"""

from __future__ import annotations

from federation.login_tokens import AnyIssuer, KnownProvider
from federation.saml_logins import SamlLogins
from federation.social import amazon, apple, facebook, google
from pools.ports import ASSERTIONS, OPENID, AssertionVerifier, IssuerVerifier, LoginVerifier

VERIFIERS: dict[str, LoginVerifier] = {
    "accounts.google.com": KnownProvider(
        "accounts.google.com", (google.ISSUER, google.OLDER), google.JWKS_URI, is_presented_by_others=True
    ),
    "appleid.apple.com": KnownProvider("appleid.apple.com", (apple.ISSUER,), apple.JWKS_URI),
    "graph.facebook.com": facebook.FacebookLogins(),
    "www.amazon.com": amazon.AmazonLogins(),
}
"""By the provider's name in ``SupportedLoginProviders`` and ``Logins``."""
ISSUER_VERIFIERS: dict[str, IssuerVerifier] = {OPENID: AnyIssuer()}
ASSERTION_VERIFIERS: dict[str, AssertionVerifier] = {ASSERTIONS: SamlLogins()}
"""By protocol, both."""
