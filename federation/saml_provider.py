"""``SAML``: identity providers that speak SAML 2.0, as a kind of provider. What is read and written is ``saml``'s.

What handles XML is loaded by the first process that needs it, and by no other: it takes some megabytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import ModuleType

from django.utils.translation import gettext_lazy

from federation import details as checks
from federation.details import Table, refused
from federation.saml_details import ENCRYPTED, ENTITY_ID, FILE, FOLLOWS, SIGNED, SIGNS_OUT, UNASKED, URL
from identity.foundation.errors import DomainError, Invalid
from pools.ports import (
    NO_WISHES,
    EndedSessions,
    ExternalIdentity,
    OurSide,
    ProviderDocument,
    SignOutMessage,
    UpstreamRedirect,
    UpstreamWishes,
)
from pools.ports.kinds import About, Control, Detail

MISSING = "Either MetadataURL or MetadataFile is a required idp detail."
LARGEST_FILE = 1 << 20
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


def address_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being the address of metadata."""
    if not checks.is_secure_enough(value) or not checks.is_address(value):
        yield refused(key, "metadata_url", f"{key} is not a URL that starts with https://")


def file_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being metadata that can be read at all; what they say, :meth:`Saml.fetch` finds."""
    if len(value) > LARGEST_FILE:
        text = f"The metadata are larger than {LARGEST_FILE} bytes."
        yield refused(key, "metadata_too_large", text, most=LARGEST_FILE)


def any_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield nothing: what follows from other details is not read."""
    del key, value
    yield from ()


ABOUT = About(
    "SAML",
    "saml",
    "SAML 2.0",
    gettext_lazy("People of an organisation, by Entra ID, Okta, ADFS, Google Workspace, Shibboleth and others."),
    gettext_lazy(
        "Make a SAML application at the provider, by the metadata above, or by hand with the redirect URI (there "
        "called ACS or reply URL) and the entity ID (there called audience). It gives you its metadata, as an address "
        "or a file."
    ),
    (
        Detail(
            URL,
            gettext_lazy("Address of the metadata"),
            gettext_lazy("It is read again every six hours, so that new certificates are known in time."),
            Control.ADDRESS,
            is_required=False,
        ),
        Detail(
            FILE,
            gettext_lazy("Metadata"),
            gettext_lazy("The whole text of the provider’s XML file, where it has no address."),
            Control.LINES,
            is_required=False,
        ),
        Detail(
            ENTITY_ID,
            gettext_lazy("Entity ID in the metadata"),
            gettext_lazy(
                "Which provider is meant, where the metadata are those of a whole federation. They are then read in "
                "the background."
            ),
            is_required=False,
        ),
        Detail(
            SIGNED,
            gettext_lazy("Sign requests"),
            gettext_lazy("Always; otherwise only where the provider’s metadata ask for it."),
            Control.ONE_OF,
            is_required=False,
            options={"": gettext_lazy("If asked"), "rsa-sha256": gettext_lazy("Always")},
        ),
        Detail(
            ENCRYPTED,
            gettext_lazy("Only encrypted assertions"),
            gettext_lazy("The provider encrypts for the certificate in our metadata."),
            Control.SWITCH,
            is_required=False,
        ),
        Detail(
            UNASKED,
            gettext_lazy("Sign-in that begins at the provider"),
            gettext_lazy("People may come from its portal. Apps that let them have providers of this kind alone."),
            Control.SWITCH,
            is_required=False,
        ),
        Detail(
            SIGNS_OUT,
            gettext_lazy("Sign people out there too"),
            gettext_lazy("Who signs out here is sent to the provider to sign out as well."),
            Control.SWITCH,
            is_required=False,
        ),
    ),
    mapping={
        "email": f"{CLAIMS}emailaddress",
        "name": f"{CLAIMS}name",
        "given_name": f"{CLAIMS}givenname",
        "family_name": f"{CLAIMS}surname",
    },
    callback="saml2/idpresponse",
    signed_out="saml2/logout",
    introduction="saml2/metadata",
    sign_out_detail=SIGNS_OUT,
    unasked_detail=UNASKED,
    fetched_from=URL,
)


class Saml:
    """``SAML``, and how it tells that people have signed out."""

    about = ABOUT
    table = Table(
        required=(),
        missing=MISSING,
        checks={
            URL: address_problems,
            FILE: file_problems,
            ENTITY_ID: checks.name_problems,
            SIGNED: checks.among("rsa-sha256"),
            **dict.fromkeys((UNASKED, SIGNS_OUT, ENCRYPTED), checks.among("true", "false")),
            **dict.fromkeys(FOLLOWS, any_problems),
        },
        defaults={},
    )

    def problems(self, details: Mapping[str, str]) -> Iterator[DomainError]:
        """Yield all that is wrong with details as they are given."""
        yield from self.table.problems(details)
        given = [key for key in (URL, FILE) if details.get(key)]
        if not given:
            yield refused(URL, "missing_detail", MISSING)
        if len(given) > 1:
            yield refused(FILE, "metadata_twice", "MetadataURL and MetadataFile exclude each other.")

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details. Raises Invalid."""
        for problem in self.problems(details):
            raise problem
        return {key: value for key, value in self.table.completed(details).items() if key not in FOLLOWS}

    def fetch(self, details: Mapping[str, str], *, in_job: bool = False) -> Mapping[str, str]:
        """Return the provider's metadata, in a form of our own.

        A whole federation's are read ``in_job`` alone. Raises as :meth:`pools.ports.ProviderKind.fetch`.
        """
        return machinery().fetched(details, in_job=in_job)  # type: ignore[no-any-return]

    def told(self, details: Mapping[str, str], ours: OurSide) -> Mapping[str, str]:
        """Return the provider's addresses, and the certificate for which it has to encrypt."""
        return machinery().told(details, ours)  # type: ignore[no-any-return]

    def introduce(self, ours: OurSide) -> bytes:
        """Return our metadata."""
        return machinery().introduction(ours)  # type: ignore[no-any-return]

    def start(
        self, details: Mapping[str, str], ours: OurSide, *, state: str, wishes: UpstreamWishes = NO_WISHES
    ) -> UpstreamRedirect:
        """Return the way to the provider. Raises as :meth:`pools.ports.ProviderKind.start`."""
        return machinery().departure(details, ours, state=state, wishes=wishes)  # type: ignore[no-any-return]

    def leave(self, details: Mapping[str, str], ours: OurSide, *, state: str, session: Mapping[str, str]) -> str:
        """Return where somebody signs out of the provider. Raises as :meth:`pools.ports.ProviderKind.leave`."""
        return machinery().sign_out(details, ours, state=state, session=session)  # type: ignore[no-any-return]

    def finish(
        self,
        details: Mapping[str, str],
        ours: OurSide,
        redirect: UpstreamRedirect,
        answer: Mapping[str, str],
        *,
        wanted: Collection[str] = (),
    ) -> ExternalIdentity:
        """Return who came back. Raises as :meth:`pools.ports.ProviderKind.finish`."""
        del wanted
        return machinery().arrival(details, ours, redirect.kept, answer)  # type: ignore[no-any-return]

    def documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Return nothing: what is published is kept."""
        del details
        return ()

    def read_documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Return nothing: what is published is kept."""
        return self.documents(details)

    # -- signing out, as pools.ports.SignOutProtocol has it ------------------------------------------------------------

    def state(self, message: SignOutMessage) -> str:
        """Return the RelayState of an answer; empty of a request."""
        return machinery().state_of(message)  # type: ignore[no-any-return]

    def check_answer(self, details: Mapping[str, str], ours: OurSide, message: SignOutMessage, *, state: str) -> None:
        """Check a LogoutResponse. Raises LoginRefused."""
        machinery().check_signed_out(details, ours, message, state=state)

    def issuer(self, message: SignOutMessage) -> str:
        """Return the Issuer of a LogoutRequest, unchecked. Raises LoginRefused."""
        return machinery().issuer_of(message)  # type: ignore[no-any-return]

    def ended(self, details: Mapping[str, str], ours: OurSide, message: SignOutMessage) -> EndedSessions:
        """Return whose sessions a LogoutRequest is about. Raises LoginRefused."""
        return machinery().ended(details, ours, message)  # type: ignore[no-any-return]

    def answer(self, details: Mapping[str, str], ours: OurSide, ended: EndedSessions) -> str:
        """Return the way back with a LogoutResponse."""
        return machinery().sign_out_answer(details, ours, ended)  # type: ignore[no-any-return]


def machinery() -> ModuleType:
    """Return what reads and writes XML."""
    from federation.saml import service_provider

    return service_provider
