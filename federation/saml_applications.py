"""How applications that speak SAML ask a pool to sign people in. What is read and written is ``saml``'s.

What handles XML is loaded by the first process that needs it, and by no other: it takes some megabytes.
"""

from __future__ import annotations

from collections.abc import Collection
from types import ModuleType

from federation import details
from pools.ports import (
    ApplicationLogout,
    BrowserMessage,
    IssuingSide,
    PostedForm,
    RegisteredApplication,
    RequestUnfulfilled,
    SamlName,
    SamlRequest,
    SamlSignIn,
)


class SamlApplications:
    """Applications of SAML 2.0, as :class:`pools.ports.ApplicationProtocol` has them."""

    def metadata(self, ours: IssuingSide) -> bytes:
        """Return our metadata."""
        return machinery().introduction(ours)  # type: ignore[no-any-return]

    def read_metadata(self, data: bytes) -> RegisteredApplication:
        """Return what an application tells of itself. Raises Invalid."""
        return machinery().read_metadata(data)  # type: ignore[no-any-return]

    def fetch_metadata(self, url: str) -> bytes:
        """Return what is at an address of metadata. Raises Invalid, Overloaded."""
        return machinery().fetch_metadata(url)  # type: ignore[no-any-return]

    def is_address(self, url: str) -> bool:
        """Say whether a browser may be sent to an address."""
        return details.is_secure_enough(url) and details.is_address(url)

    def check_certificate(self, told: str, *, encrypts: bool = False) -> str:
        """Return a certificate as DER in base64. Raises Invalid."""
        return machinery().check_certificate(told, encrypts=encrypts)  # type: ignore[no-any-return]

    def issuer(self, message: BrowserMessage) -> str:
        """Return the Issuer of a request, of either kind, unchecked. Raises LoginRefused."""
        return machinery().issuer_of(message, "SAMLRequest")  # type: ignore[no-any-return]

    def request(self, ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage) -> SamlRequest:
        """Return what an application asks. Raises LoginRefused, RequestUnfulfilled."""
        return machinery().request(ours, application, message)  # type: ignore[no-any-return]

    def context(self, methods: Collection[str], asked: SamlRequest) -> str:
        """Return the class that proofs reach and a request wants; empty where none is."""
        return machinery().context(methods, asked)  # type: ignore[no-any-return]

    def can_be_reached(self, asked: SamlRequest) -> bool:
        """Say whether any proofs reach what a request wants."""
        return machinery().can_be_reached(asked)  # type: ignore[no-any-return]

    def persistent_name(self, secret: bytes, entity_id: str, subject: str) -> str:
        """Return the name of somebody that only this application knows."""
        return machinery().name_ids.persistent_id(secret, entity_id, subject)  # type: ignore[no-any-return]

    def transient_name(self) -> str:
        """Return a name for one session."""
        return machinery().name_ids.transient_id()  # type: ignore[no-any-return]

    def answer(
        self, ours: IssuingSide, application: RegisteredApplication, asked: SamlRequest, sign_in: SamlSignIn
    ) -> PostedForm:
        """Return a Response with an assertion. Raises RequestUnfulfilled."""
        return machinery().answer(ours, application, asked, sign_in)  # type: ignore[no-any-return]

    def refusal(self, ours: IssuingSide, refused: RequestUnfulfilled) -> PostedForm:
        """Return a Response without one."""
        return machinery().refusal(ours, refused)  # type: ignore[no-any-return]

    def state(self, message: BrowserMessage) -> str:
        """Return the RelayState of a LogoutResponse; empty of a request."""
        return machinery().service_provider.state_of(message)  # type: ignore[no-any-return]

    def logout(
        self, ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage
    ) -> ApplicationLogout:
        """Return whom a LogoutRequest is about. Raises LoginRefused."""
        return machinery().signed_out(ours, application, message)  # type: ignore[no-any-return]

    def sign_out(self, ours: IssuingSide, application: RegisteredApplication, name: SamlName, *, state: str) -> str:
        """Return the way to an application with a LogoutRequest."""
        return machinery().sign_out(ours, application, name, state=state)  # type: ignore[no-any-return]

    def check_signed_out(
        self, ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage, *, state: str
    ) -> None:
        """Check a LogoutResponse. Raises LoginRefused."""
        machinery().check_signed_out(ours, application, message, state=state)

    def logout_answer(
        self,
        ours: IssuingSide,
        application: RegisteredApplication,
        asked: ApplicationLogout,
        *,
        is_known: bool = True,
        is_partial: bool = False,
    ) -> str:
        """Return the way back to an application with a LogoutResponse."""
        return machinery().logout_answer(  # type: ignore[no-any-return]
            ours, application, asked, is_known=is_known, is_partial=is_partial
        )


def machinery() -> ModuleType:
    """Return what reads and writes XML."""
    from federation.saml import identity_provider

    return identity_provider
