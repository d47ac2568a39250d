"""What pools needs from outside, as Protocols, and where the answers are registered.

``federation/apps.py`` registers them at start-up. Nothing here knows who answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from identity.foundation.errors import DomainError, LoginRefused, Misuse, NotAuthorized, Parameters, RoleRefused
from pools.provider_kinds import About

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


class LoginDenied(NotAuthorized):
    """A person said no at an upstream provider, or it did for them: nothing is forged, and another try may succeed.

    ``parameters`` hold the provider's ``error`` and its ``description`` where it gave one. The latter may name people:
    it is for them and their app, never for a log.
    """

    public = "The identity provider did not sign the user in."


@dataclass(frozen=True, slots=True)
class UpstreamWishes:
    """What is wanted of a trip to an upstream provider; empty is nothing. A kind hands on what its providers know."""

    login_hint: str = ""
    """Who wants to sign in, for the provider's form."""
    prompt: str = ""
    """Words of OpenID Connect Core 3.1.2.1. ``none`` is never handed on: nobody comes back from that unseen."""
    acr_values: str = ""
    """Classes of assurance with spaces between; :attr:`ExternalIdentity.acr` says what came of it."""


NO_WISHES = UpstreamWishes()


@dataclass(frozen=True, slots=True)
class UpstreamRedirect:
    """A person's way to an upstream provider."""

    url: str
    """Where the browser is sent."""
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What :meth:`ProviderKind.finish` needs again, and nobody may see or change: a nonce, a verifier, an id."""


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who an upstream provider says that somebody is. Whom of ours that means is not its to know."""

    subject: str
    """Who it is, there. Never given to another."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What the provider tells of the person, by its own names."""
    authenticated_at: datetime | None = None
    """When the person proved it there, where the provider says so."""
    methods: tuple[str, ...] = ()
    """How, in words of RFC 8176."""
    acr: str = ""
    """The class of assurance that was reached, in the provider's words, where it says so."""


@dataclass(frozen=True, slots=True)
class ProviderDocument:
    """Something that a provider publishes and this process reads now and then: how that went lately."""

    what: str
    """``discovery`` or ``keys``."""
    url: str
    read_at: datetime | None = None
    """When it was last had; None where it never was since the process began."""
    failed_at: datetime | None = None
    """When it could not be had, where that was the last try."""
    problem: str = ""
    """Why the last try failed: the code of an ``OutsideUnavailable``."""
    parameters: Parameters = field(default_factory=dict)
    """What words for that code may name."""


class ProviderKind(Protocol):
    """A kind of identity provider that a user pool can have: OIDC, SAML, Google and so on."""

    @property
    def about(self) -> About:
        """Return what it says of itself."""

    def problems(self, details: Mapping[str, str]) -> Iterator[DomainError]:
        """Yield all that is wrong with a provider's details as they are given; nobody is asked."""

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed.

        Raises:
            Invalid: they cannot be right.

        """

    def start(
        self, details: Mapping[str, str], *, state: str, callback: str, wishes: UpstreamWishes = NO_WISHES
    ) -> UpstreamRedirect:
        """Return the way to the provider, from which the browser comes back to ``callback`` with ``state``.

        Raises:
            OutsideUnavailable: what the provider tells of itself cannot be had.
            Overloaded: too many calls are under way.

        """

    def leave(self, details: Mapping[str, str], *, state: str, callback: str) -> str:
        """Return where somebody signs out of the provider too, to come back to ``callback`` with ``state``.

        Empty where it has no such place.

        Raises:
            OutsideUnavailable: what the provider tells of itself cannot be had.
            Overloaded: too many calls are under way.

        """

    def finish(
        self,
        details: Mapping[str, str],
        redirect: UpstreamRedirect,
        answer: Mapping[str, str],
        *,
        callback: str,
        wanted: Collection[str] = (),
    ) -> ExternalIdentity:
        """Return who came back, by the fields that the browser brought to ``callback``, in its query or its body.

        That the answer's ``state`` is the one that was given to :meth:`start`, and the browser the same, is for the
        caller to see before. ``wanted`` names claims that the pool has a use for: some providers tell only what they
        are asked for.

        Raises:
            LoginDenied: the person did not want to, or the provider did not let them.
            LoginRefused: it is forged, expired, or for someone else; or the provider's own refusal, of which the
                parameters ``error``, ``description`` and ``status`` tell as they do in :class:`LoginDenied`.
            OutsideUnavailable: the provider does not answer, or nothing that can be understood.
            Overloaded: too many calls are under way.

        """

    def documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Return what this process knows of the documents that a provider publishes; nobody is asked."""

    def read_documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Ask the provider for each of its documents now, and return what is known then: what fails is told in it.

        Raises:
            Overloaded: too many calls are under way.

        """


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name a message goes where its pool has a sender of its own. What is empty is the installation's."""

    address: str = ""
    """Whom a mail is from."""
    identity: str = ""
    """The gateway's name of whoever may send as that address; of a text message, whom it is from."""
    configuration_set: str = ""
    entity_id: str = ""
    """Who sends, in India's register of senders (DLT)."""
    template_id: str = ""
    """What is sent, in that register."""
    role: str = ""
    """The role that is assumed to send."""
    external_id: str = field(default="", repr=False)
    """What its owner wants to be told by whoever assumes it."""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a channel sends it. Whoever sends one id twice sends the same message again."""

    id: UUID
    pool_id: int
    medium: str
    """``email`` or ``sms``."""
    created_at: datetime
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    reply_to: str = field(default="", repr=False)
    sender: Sender = Sender()


class Undeliverable(DomainError):
    """A message will never be taken; trying again would not help. ``detail`` says why, and quotes nothing of it."""


class NotNow(DomainError):
    """A message was not taken this time: it is kept, and tried again so many times. ``detail`` as above."""


class InstallationAtFault(NotNow):
    """Nothing can be sent now, whatever it is: no message's fault, so no try of it. An operator mends it."""


class Channel(Protocol):
    """Carries mail, or text messages: a mail server, a gateway, the mailbox."""

    def send(self, message: Message) -> str:
        """Send a message, outside any transaction; it is sent when this returns.

        Returns the id by which the other side knows it, empty where it says none.

        Raises:
            Undeliverable: it can never go.
            NotNow: the other side or the installation (:class:`InstallationAtFault`) is at fault.

        """


OTHER_APPLICATION = "Token is not from a supported provider of this identity pool."
OTHER_ISSUER = "Invalid login token. Issuer doesn't match providerName"
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


channels: Registry[Channel] = Registry("channel")
"""By the name in ``MAIL_CHANNEL`` or ``SMS_CHANNEL``."""
STS = "sts"
"""The name of the one issuer of credentials."""
provider_kinds: Registry[ProviderKind] = Registry("provider kind")
"""By the type that each has in what it says of itself, in the order in which operators are offered them."""
login_verifiers: Registry[LoginVerifier] = Registry("login verifier")
"""By the provider's name in ``SupportedLoginProviders`` and ``Logins``."""
OPENID = "openid"
"""The name of who verifies ID tokens of any issuer."""
issuer_verifiers: Registry[IssuerVerifier] = Registry("issuer verifier")
credential_issuers: Registry[CredentialIssuer] = Registry("credential issuer")
