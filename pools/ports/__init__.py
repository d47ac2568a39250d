"""What pools needs from outside, as Protocols, and where the answers are registered.

``federation/apps.py`` registers them at start-up. Nothing here knows who answers.
"""

from __future__ import annotations

from pools.ports.logins import (
    NOT_A_TOKEN,
    NOT_SIGNED,
    OTHER_APPLICATION,
    OTHER_ISSUER,
    AssertionVerifier,
    CredentialIssuer,
    Credentials,
    IssuerVerifier,
    LoginVerifier,
    TokenTooOld,
    VerifiedLogin,
    claim_missing,
    login_expired,
)
from pools.ports.messages import (
    Channel,
    InstallationAtFault,
    Message,
    NotNow,
    Sender,
    Undeliverable,
)
from pools.ports.providers import (
    MESSAGE,
    NO_WISHES,
    BrowserMessage,
    EndedSessions,
    ExternalIdentity,
    KeyPair,
    LoginDenied,
    OurSide,
    OwnKeys,
    ProviderDocument,
    ProviderKind,
    SignOutMessage,
    SignOutProtocol,
    UpstreamRedirect,
    UpstreamWishes,
)
from pools.ports.registry import (
    Registry,
)
from pools.ports.saml import (
    ApplicationLogout,
    ApplicationProtocol,
    IssuingSide,
    PostedForm,
    RegisteredApplication,
    RequestUnfulfilled,
    SamlName,
    SamlRequest,
    SamlSignIn,
)

__all__ = [
    "ASSERTIONS",
    "MESSAGE",
    "NOT_A_TOKEN",
    "NOT_SIGNED",
    "NO_WISHES",
    "OPENID",
    "OTHER_APPLICATION",
    "OTHER_ISSUER",
    "SAML_APPLICATIONS",
    "STS",
    "ApplicationLogout",
    "ApplicationProtocol",
    "AssertionVerifier",
    "BrowserMessage",
    "Channel",
    "CredentialIssuer",
    "Credentials",
    "EndedSessions",
    "ExternalIdentity",
    "InstallationAtFault",
    "IssuerVerifier",
    "IssuingSide",
    "KeyPair",
    "LoginDenied",
    "LoginVerifier",
    "Message",
    "NotNow",
    "OurSide",
    "OwnKeys",
    "PostedForm",
    "ProviderDocument",
    "ProviderKind",
    "RegisteredApplication",
    "Registry",
    "RequestUnfulfilled",
    "SamlName",
    "SamlRequest",
    "SamlSignIn",
    "Sender",
    "SignOutMessage",
    "SignOutProtocol",
    "TokenTooOld",
    "Undeliverable",
    "UpstreamRedirect",
    "UpstreamWishes",
    "VerifiedLogin",
    "application_protocols",
    "assertion_verifiers",
    "channels",
    "claim_missing",
    "credential_issuers",
    "issuer_verifiers",
    "login_expired",
    "login_verifiers",
    "provider_kinds",
    "sign_out_protocols",
]

channels: Registry[Channel] = Registry("channel")
"""By the name in ``MAIL_CHANNEL`` or ``SMS_CHANNEL``."""
STS = "sts"
"""The name of the one issuer of credentials."""
sign_out_protocols: Registry[SignOutProtocol] = Registry("protocol of signing out")
"""By the type of provider, where it has one."""
SAML_APPLICATIONS = "saml"
"""The name of the one protocol of applications that is not OAuth."""
application_protocols: Registry[ApplicationProtocol] = Registry("protocol of applications")
provider_kinds: Registry[ProviderKind] = Registry("provider kind")
"""By the type that each has in what it says of itself, in the order in which operators are offered them."""
login_verifiers: Registry[LoginVerifier] = Registry("login verifier")
"""By the provider's name in ``SupportedLoginProviders`` and ``Logins``."""
OPENID = "openid"
"""The name of who verifies ID tokens of any issuer."""
issuer_verifiers: Registry[IssuerVerifier] = Registry("issuer verifier")
ASSERTIONS = "saml"
"""The name of who verifies SAML responses of any provider."""
assertion_verifiers: Registry[AssertionVerifier] = Registry("assertion verifier")
credential_issuers: Registry[CredentialIssuer] = Registry("credential issuer")
