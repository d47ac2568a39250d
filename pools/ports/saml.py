"""What a pool asks for to be a SAML identity provider: its messages to applications are written and read outside.

Who may sign in where, and what is told of them, is the services'. Knows no XML.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from identity.foundation.errors import DomainError
from pools.ports.providers import BrowserMessage, OwnKeys

NO_PASSIVE: Final = "NoPassive"
NO_AUTHN_CONTEXT: Final = "NoAuthnContext"
INVALID_NAME_ID_POLICY: Final = "InvalidNameIDPolicy"
REQUEST_DENIED: Final = "RequestDenied"
REQUEST_UNSUPPORTED: Final = "RequestUnsupported"


class RequestUnfulfilled(DomainError):
    """An application asks what it cannot have. It is told so, at a registered address, by a status of SAML."""

    public = "The application's request cannot be fulfilled."

    def __init__(self, status: str, *, acs_url: str, request_id: str, relay_state: str, detail: str = "") -> None:
        """Keep what is answered (the last part of a name of SAML core 3.2.2.2), to which request, and where."""
        super().__init__(detail=detail or status)
        self.status = status
        self.acs_url = acs_url
        self.request_id = request_id
        self.relay_state = relay_state


@dataclass(frozen=True, slots=True)
class IssuingSide:
    """As whom a pool meets the applications that it is an identity provider for."""

    entity_id: str
    sso_url: str
    """Where requests are brought, exactly."""
    slo_url: str
    """Where logout messages are brought, exactly."""
    keys: OwnKeys = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    """What an application is registered with."""

    entity_id: str
    acs_urls: Mapping[int, str]
    """Where it takes answers, by the index that it gives each; the first is the default."""
    slo_url: str = ""
    """Where it takes logout messages by redirect; empty where it takes none."""
    certificates: Sequence[str] = ()
    """By whose keys it signs, DER in base64."""
    signs_requests: bool = True
    """Whether each request of one with a certificate is signed."""
    encryption_certificate: str = ""
    """For whose key assertions are encrypted; empty where they are not."""
    name_id_format: str = ""
    """The last part of the format's name; empty where nobody says."""
    signs_assertion: bool = True
    signs_response: bool = True


@dataclass(frozen=True, slots=True)
class SamlRequest:
    """What an application asks, which was checked."""

    id: str
    """Empty of what nobody asked."""
    acs_url: str
    """Where to answer, which is registered."""
    kept_until: datetime
    """Until when it would be taken again."""
    force_authn: bool = False
    is_passive: bool = False
    classes: tuple[str, ...] = ()
    """Classes of authentication context of which one is to be reached; any will do where there are none."""
    comparison: str = "exact"
    name_id_format: str = ""
    """The last part of the format's name; empty where any will do."""
    subject: str = ""
    """Whom it wants to be signed in: a hint."""
    relay_state: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SamlName:
    """By what an application knows somebody in a session."""

    value: str
    name_id_format: str
    """The last part of the format's name."""
    session_index: str


@dataclass(frozen=True, slots=True)
class SamlSignIn:
    """Who signed in, when, how and until when, and what is told of them."""

    name: SamlName
    authenticated_at: datetime
    context: str
    """The class of authentication context."""
    ends_at: datetime
    attributes: Mapping[str, Sequence[str]]
    """By the name that the application reads."""


@dataclass(frozen=True, slots=True)
class PostedForm:
    """What a browser is to post to an application."""

    url: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationLogout:
    """Whom an application signed out, and asks us to sign out."""

    id: str
    """What the answer names."""
    name: str
    session_indexes: tuple[str, ...]
    """Of these sessions; of all where there are none."""
    relay_state: str = field(default="", repr=False)


class ApplicationProtocol(Protocol):
    """How applications ask a pool to sign people in, and are answered."""

    def metadata(self, ours: IssuingSide) -> bytes:
        """Return the document by which applications know the pool, signed."""

    def read_metadata(self, data: bytes) -> RegisteredApplication:
        """Return what an application tells of itself.

        Raises:
            Invalid: it is no metadata of one application. ``field`` is ``metadata``.

        """

    def fetch_metadata(self, url: str) -> bytes:
        """Return what is at an address of metadata.

        Raises:
            Invalid: it cannot be had, or is no address. ``field`` is ``metadata_url``.
            Overloaded: too many calls are under way.

        """

    def is_address(self, url: str) -> bool:
        """Say whether a browser may be sent to an address."""

    def check_certificate(self, told: str, *, encrypts: bool = False) -> str:
        """Return a certificate, given as PEM or base64, as DER in base64; ``encrypts`` says that it is encrypted for.

        Raises:
            Invalid: it cannot be read, or its key is weak or of another kind.

        """

    def issuer(self, message: BrowserMessage) -> str:
        """Return what the sender of a request says it is called, which nobody has checked. Raises LoginRefused."""

    def request(self, ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage) -> SamlRequest:
        """Return what an application asks.

        Raises:
            LoginRefused: nobody is to be answered.
            RequestUnfulfilled: the application is to be answered with a status.

        """

    def context(self, methods: Collection[str], asked: SamlRequest) -> str:
        """Return the class of authentication context that proofs reach and a request wants; empty where none is."""

    def can_be_reached(self, asked: SamlRequest) -> bool:
        """Say whether any proofs reach what a request wants."""

    def persistent_name(self, secret: bytes, entity_id: str, subject: str) -> str:
        """Return the name of somebody that only this application knows."""

    def transient_name(self) -> str:
        """Return a name for one session."""

    def answer(
        self, ours: IssuingSide, application: RegisteredApplication, asked: SamlRequest, sign_in: SamlSignIn
    ) -> PostedForm:
        """Return the answer to a request, or to nobody's: who signed in.

        Raises:
            RequestUnfulfilled: something of it cannot be told.

        """

    def refusal(self, ours: IssuingSide, refused: RequestUnfulfilled) -> PostedForm:
        """Return the answer to a request that says why nobody signed in."""

    # -- single logout -------------------------------------------------------------------------------------------------

    def state(self, message: BrowserMessage) -> str:
        """Return the state with which a browser comes back from an application; empty where it asks something."""

    def logout(
        self, ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage
    ) -> ApplicationLogout:
        """Return whom an application signed out. Raises LoginRefused: it is forged, expired, or nobody signed it."""

    def sign_out(self, ours: IssuingSide, application: RegisteredApplication, name: SamlName, *, state: str) -> str:
        """Return the way to an application with the request to sign somebody out; it leads back with ``state``."""

    def check_signed_out(
        self, ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage, *, state: str
    ) -> None:
        """Check an application's answer to what :meth:`sign_out` asked with ``state``.

        Raises:
            LoginRefused: it is forged, another's, or says that nobody was signed out.

        """

    def logout_answer(
        self,
        ours: IssuingSide,
        application: RegisteredApplication,
        asked: ApplicationLogout,
        *,
        is_known: bool = True,
        is_partial: bool = False,
    ) -> str:
        """Return the way back to an application with the answer to its request.

        It says that nobody of that name is in such a session unless it ``is_known``, and, where it ``is_partial``, that
        not everybody could be told.
        """
