"""Logins that identity pools take from elsewhere, and credentials that they are traded for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from identity.foundation.errors import LoginRefused, RoleRefused
from identity.foundation.saml_issuers import SamlProvider


@dataclass(frozen=True, slots=True)
class VerifiedLogin:
    """A login whose token was verified. What was sent goes no further than the one who verified it."""

    provider: str
    """The provider by the one name under which its logins are kept."""
    subject: str
    """Who it is, there. Never given to another."""
    audience: str
    """The application that the token was made for."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    """Stands between provider and subject where a token names the login: ``CognitoSignIn`` for our own pools, the
    application for others."""

    @property
    def name(self) -> str:
        """Return the login as the ``amr`` of a token names it."""
        return ":".join(part for part in (self.provider, self.kind, self.subject) if part)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials of a role."""

    access_key_id: str
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expiration: datetime


class TokenTooOld(RoleRefused):
    """The issuer of credentials says that the token expired on its way: one made anew may pass."""


OTHER_APPLICATION = "Token is not from a supported provider of this identity pool."
OTHER_ISSUER = "Invalid login token. Issuer doesn't match providerName"
NOT_A_TOKEN = "Invalid login token. Not a valid OpenId Connect identity token."  # noqa: S105 - a text
NOT_SIGNED = "Invalid login token. Couldn't verify signed token."
"""What logins are refused with, whoever verifies them, in Amazon's words. So are the next two."""


def claim_missing(name: str) -> LoginRefused:
    """Return the refusal of a login that lacks a claim."""
    return LoginRefused(f"Invalid login token. Missing a required claim: {name}")


def login_expired(expires: float, now: float) -> LoginRefused:
    """Return the refusal of a login that is past its end."""
    return LoginRefused(f"Invalid login token. Token expired: {now:.0f} >= {expires:.0f}")


class LoginVerifier(Protocol):
    """Verifies logins of one provider that is not a pool of ours."""

    def verify(self, token: str, *, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token is about, if it was made for one of these applications.

        Raises:
            LoginRefused: it is forged, expired, or for someone else; in Amazon's words.
            OutsideUnavailable: the provider's keys, or its own word on the token, cannot be had.
            Overloaded: too many calls are under way.

        """


class IssuerVerifier(Protocol):
    """Verifies logins of any provider that speaks a protocol and is found by its issuer."""

    def verify(self, token: str, *, issuer: str, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token of this issuer is about. Raises as :meth:`LoginVerifier.verify`."""


class AssertionVerifier(Protocol):
    """Verifies SAML responses of any provider that the installation trusts."""

    def verify(self, response: str, *, arn: str, provider: SamlProvider) -> VerifiedLogin:
        """Return who a response is about that a provider, known by an ARN, issued to its application.

        It is not used up: until it ends it is a login as often as it is brought. Raises as
        :meth:`LoginVerifier.verify`.
        """


class CredentialIssuer(Protocol):
    """Trades a token of the identity pools' issuer for a role's credentials."""

    def issue(self, *, role_arn: str, token: str, session_name: str, duration: int, policy: str | None) -> Credentials:
        """Return credentials.

        Raises:
            TokenTooOld: the token expired on its way.
            RoleRefused: the role cannot be assumed with this token; the true reason is the detail.
            OutsideUnavailable: nobody answered in time.
            Overloaded: too many ask.

        """
