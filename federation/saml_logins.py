"""SAML responses that are brought as logins of an identity pool. What reads them is ``saml.login_responses``.

What handles XML is loaded by the first login that needs it.
"""

from __future__ import annotations

from identity.foundation.saml_issuers import SamlProvider
from pools.ports import VerifiedLogin


class SamlLogins:
    """Whatever provider the installation trusts: an ``AssertionVerifier``."""

    def verify(self, response: str, *, arn: str, provider: SamlProvider) -> VerifiedLogin:
        """Return who a response is about. Raises as :meth:`pools.ports.AssertionVerifier.verify`."""
        from federation.saml import login_responses

        return login_responses.verified(response, arn, provider)
