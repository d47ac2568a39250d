"""What a kind of identity provider does for pools: the way there, the way back, and who came. Rules call this alone.

What a kind says of itself is ``kinds``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from identity.foundation.errors import DomainError, NotAuthorized, Parameters
from pools.ports.kinds import About


class LoginDenied(NotAuthorized):
    """A person said no at an upstream provider, or it did for them: nothing is forged, and another try may succeed.

    ``parameters`` hold the provider's ``error`` and its ``description`` where it gave one. The latter may name people:
    it is for them and their app, never for a log.
    """

    public = "The identity provider did not sign the user in."


MESSAGE = "message"
"""The parameter of a refusal that shows an operator what came, without what it says of people."""


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
class KeyPair:
    """A key of a pool's own, and what others know it by."""

    certificate: bytes
    """X.509, DER."""
    private: bytes = field(repr=False)
    """PKCS #8, DER."""


class OwnKeys(Protocol):
    """The keys of a pool with its providers. They are read when they are asked for."""

    def signing(self) -> KeyPair:
        """Return the key that signs what the pool says to providers."""

    def decryption(self) -> Sequence[KeyPair]:
        """Return the keys for which providers may encrypt: first the one that they are told."""


@dataclass(frozen=True, slots=True)
class OurSide:
    """As whom a pool meets a provider of a kind."""

    entity_id: str
    """What it is called there, where providers have a name for it."""
    callback: str
    """The address to which the provider sends people back, as it has to be registered with it."""
    signed_out: str
    """The address to which it sends who signed out there."""
    keys: OwnKeys = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpstreamRedirect:
    """A person's way to an upstream provider."""

    url: str
    """Where the browser is sent."""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)
    """What it posts there by a form; nothing where a redirect is enough."""
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
    session: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What :meth:`ProviderKind.leave` needs again to end the session there; empty where it needs nothing."""
    session_name: str = ""
    """What the provider calls that session when it ends it itself."""
    once: str = ""
    """The name of a proof that has to be taken once, and may come again until ``once_until``; empty where none can."""
    once_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderDocument:
    """Something that a provider publishes and this process reads now and then: how that went lately."""

    what: str
    """``discovery``, ``keys`` or ``metadata``."""
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

    def fetch(self, details: Mapping[str, str], *, in_job: bool = False) -> Mapping[str, str]:
        """Return what the provider publishes that has to be kept, as further details; it is asked for now.

        Whoever keeps it asks again every few hours and keeps the last that was good. Most kinds have nothing to keep:
        what they read they hold themselves. What may be large is read ``in_job`` alone, where nobody waits for it.

        Raises:
            Invalid: what it publishes cannot be understood.
            OutsideUnavailable: it cannot be had.
            Overloaded: too many calls are under way.

        """

    def told(self, details: Mapping[str, str], ours: OurSide) -> Mapping[str, str]:
        """Return what is told of a provider beside its details, because it follows from them; nobody is asked."""

    def introduce(self, ours: OurSide) -> bytes:
        """Return the document by which its providers know a pool; empty where they know it by no document."""

    def start(
        self, details: Mapping[str, str], ours: OurSide, *, state: str, wishes: UpstreamWishes = NO_WISHES
    ) -> UpstreamRedirect:
        """Return the way to the provider, from which the browser comes back to us with ``state``.

        Raises:
            OutsideUnavailable: what the provider tells of itself cannot be had.
            Overloaded: too many calls are under way.

        """

    def leave(self, details: Mapping[str, str], ours: OurSide, *, state: str, session: Mapping[str, str]) -> str:
        """Return where somebody signs out of the provider too, to come back to us with ``state``.

        ``session`` is what :meth:`finish` told of the session there. Empty where the provider has no such place.

        Raises:
            OutsideUnavailable: what the provider tells of itself cannot be had.
            Overloaded: too many calls are under way.

        """

    def finish(
        self,
        details: Mapping[str, str],
        ours: OurSide,
        redirect: UpstreamRedirect,
        answer: Mapping[str, str],
        *,
        wanted: Collection[str] = (),
    ) -> ExternalIdentity:
        """Return who came back, by the fields that the browser brought to our callback, in its query or its body.

        That the answer's ``state`` is the one that was given to :meth:`start`, and the browser the same, is for the
        caller to see before, and that a proof to be taken once was not taken yet, behind it. ``wanted`` names claims
        that the pool has a use for: some providers tell only what they are asked for.

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
class BrowserMessage:
    """A message of another system that a browser brought to an address of ours."""

    query: str = field(repr=False)
    """The octets behind the question mark; empty where it was a form."""
    fields: Mapping[str, str] = field(repr=False)
    """The form's fields; nothing where it was a query."""


class SignOutMessage(BrowserMessage):
    """What a browser brought to our address for signing out."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """What a provider says has ended at its side, and asks us to end here."""

    subject: str
    """Whose sessions they were, there."""
    names: tuple[str, ...]
    """What the provider calls them; none is all of the person's."""
    request_id: str
    """What the answer names."""
    relay_state: str = field(default="", repr=False)
    """What the answer brings back."""


class SignOutProtocol(Protocol):
    """How a kind of provider and we tell one another by browsers that somebody has signed out."""

    def state(self, message: SignOutMessage) -> str:
        """Return the state with which a browser comes back from the provider; empty where it asks something of us."""

    def check_answer(self, details: Mapping[str, str], ours: OurSide, message: SignOutMessage, *, state: str) -> None:
        """Check a provider's answer to what :meth:`ProviderKind.leave` asked with ``state``.

        Raises:
            LoginRefused: it is forged, another's, or says that nobody was signed out.

        """

    def issuer(self, message: SignOutMessage) -> str:
        """Return what a request's sender says it is called, which nobody has checked. Raises LoginRefused."""

    def ended(self, details: Mapping[str, str], ours: OurSide, message: SignOutMessage) -> EndedSessions:
        """Return whose sessions a provider's request is about.

        Raises:
            LoginRefused: it is forged or expired.

        """

    def answer(self, details: Mapping[str, str], ours: OurSide, ended: EndedSessions) -> str:
        """Return the way back with our answer that all have ended; empty where the provider wants none."""
