"""What pools needs from outside, as Protocols, and where the answers are registered.

``federation/apps.py`` registers them at start-up. Nothing here knows who answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from identity.foundation.errors import Misuse, RoleRefused

Answer = TypeVar("Answer")


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
    """Stands between provider and subject where a token names the login: ``CognitoSignIn`` for our own pools."""

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


class ProviderKind(Protocol):
    """A kind of identity provider that a user pool can have: OIDC, SAML, Google and so on."""

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed.

        Raises:
            Invalid: they cannot be right.

        """


class LoginVerifier(Protocol):
    """Verifies logins of one provider that is not a pool of ours."""

    def verify(self, token: str, *, audience: str) -> VerifiedLogin:
        """Return who a token is about, if it was made for this audience.

        Raises:
            LoginRefused: it is forged, expired, or for someone else.
            OutsideUnavailable: the provider's keys cannot be had.

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


class Registry(Generic[Answer]):
    """Answers by name."""

    def __init__(self, what: str) -> None:
        """Start empty."""
        self.what = what
        self._answers: dict[str, Answer] = {}

    def register(self, name: str, answer: Answer) -> None:
        """Keep an answer; a name has one."""
        if name in self._answers:
            raise Misuse(f"{self.what} {name} is registered twice")
        self._answers[name] = answer

    def withdraw(self, name: str) -> None:
        """Forget an answer."""
        del self._answers[name]

    def get(self, name: str) -> Answer | None:
        """Return the answer of that name, if there is one."""
        return self._answers.get(name)

    def __getitem__(self, name: str) -> Answer:
        """Return the answer of that name, which must be there."""
        found = self._answers.get(name)
        if found is None:
            raise Misuse(f"no {self.what} is registered as {name}")
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names."""
        return tuple(self._answers)


STS = "sts"
"""The name of the one issuer of credentials."""
provider_kinds: Registry[ProviderKind] = Registry("provider kind")
login_verifiers: Registry[LoginVerifier] = Registry("login verifier")
"""By the provider's name in ``Logins``: the issuer without its scheme."""
credential_issuers: Registry[CredentialIssuer] = Registry("credential issuer")
