"""Issues what our identity provider answers applications (SAML profiles 4.1.4.2): who signed in, or why nobody did.

Decides nothing: whether somebody may sign in there, what is told of them and how they are named are the caller's, and
so are the names and addresses of an application, all of them as they were registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from federation.saml import encrypting, signing
from federation.saml.documents import ABSOLUTE, NAME, Element
from federation.saml.responses import ASSERTION, RESPONSE, NameId
from federation.saml.rules import BEARER, LONGEST_NAME, PROTOCOL, SAML, SKEW, SUCCESS, saml, samlp, word
from federation.saml.signing import SigningKey
from federation.saml.statuses import Status
from federation.saml.writing import instant, new_id, put, root, unwritable, written
from identity.foundation import clock

PREFIXES: Final = {"samlp": PROTOCOL, "saml": SAML}
LIFE: Final = timedelta(minutes=5)
"""How long an application takes an assertion, while its clock may be wrong by :data:`EARLY`."""
EARLY: Final = timedelta(seconds=SKEW)
NAME_FORMATS: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues: an identity provider, by the key whose certificate applications hold."""

    entity_id: str
    signing: SigningKey


@dataclass(frozen=True, slots=True)
class Application:
    """Whom an answer is for, and in which form."""

    entity_id: str
    acs_url: str
    """Where it is brought: one of the addresses that are registered."""
    signs_assertion: bool = True
    signs_response: bool = True
    encrypts_for: x509.Certificate | None = None
    """Whose key alone reads the assertion; everybody does where there is none."""

    def __post_init__(self) -> None:
        """Raise ValueError where it is for everybody, or anybody could have written what is issued."""
        if not (self.entity_id and self.acs_url):
            raise ValueError("an application has a name and an address")
        if not (self.signs_assertion or self.signs_response):
            raise ValueError("either the assertion or the response is signed")


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something told of a person. Without values it is left out."""

    name: str
    values: Sequence[str]
    friendly_name: str = ""

    @property
    def name_format(self) -> str:
        """Return how the name is to be read (SAML core 8.2): as a URI, as a name of XML, or as neither."""
        basic = "basic" if NAME.fullmatch(self.name) else "unspecified"
        return f"{NAME_FORMATS}{'uri' if ABSOLUTE.match(self.name) else basic}"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in, when and how."""

    name_id: NameId
    authn_instant: datetime
    authn_context: str
    """The class that was reached."""
    session_index: str
    """By which an application says of which session it is, when it signs somebody out."""
    session_not_on_or_after: datetime | None = None
    attributes: Sequence[Attribute] = ()

    def __post_init__(self) -> None:
        """Raise ValueError where it does not say how: that is no sign-in to tell."""
        if not self.authn_context:
            raise ValueError("a sign-in has a class of authentication context")


def response(issuer: Issuer, application: Application, sign_in: SignIn, *, request_id: str = "") -> bytes:
    """Return a response with an assertion: to a request, or to nobody's.

    Raises:
        Unwritable: something of it cannot be told, a name or a value; the detail says which.

    """
    found = envelope(issuer, application.acs_url, request_id)
    put(put(found, samlp("Status")), samlp("StatusCode"), Value=SUCCESS)
    told = assertion(issuer, application, sign_in, request_id)
    written(told)  # too large is too large before it is signed
    if application.signs_assertion:
        told = signing.signed(told, issuer.signing)
    if application.encrypts_for is not None:
        told = encrypting.encrypted(told, application.encrypts_for)
    found.append(told)
    if application.signs_response:
        found = signing.signed(found, issuer.signing)
    return written(found)


def failure(issuer: Issuer, acs_url: str, status: Status, *, request_id: str = "", message: str = "") -> bytes:
    """Return a signed response that says why nobody signed in. ``message`` is for an application's people.

    Raises:
        Unwritable: the message cannot be told.

    """
    found = envelope(issuer, acs_url, request_id)
    told = put(found, samlp("Status"))
    code = put(told, samlp("StatusCode"), Value=status.code)
    if status.sub_code:
        put(code, samlp("StatusCode"), Value=status.sub_code)
    if message:
        put(told, samlp("StatusMessage"), message)
    return written(signing.signed(found, issuer.signing))


def envelope(issuer: Issuer, acs_url: str, request_id: str) -> Element:
    """Return a response that says nothing yet."""
    found = root(
        RESPONSE,
        PREFIXES,
        ID=new_id(),
        Version="2.0",
        IssueInstant=instant(clock.now()),
        Destination=acs_url,
        InResponseTo=request_id,
    )
    put(found, saml("Issuer"), issuer.entity_id)
    return found


def assertion(issuer: Issuer, application: Application, sign_in: SignIn, request_id: str) -> Element:
    """Return an assertion that nobody signed yet. Raises Unwritable."""
    now = clock.now()
    ends = instant(now + LIFE)
    found = root(ASSERTION, {"saml": SAML}, ID=new_id(), Version="2.0", IssueInstant=instant(now))
    put(found, saml("Issuer"), issuer.entity_id)
    subject = put(found, saml("Subject"))
    put_name(subject, sign_in.name_id)
    confirmation = put(subject, saml("SubjectConfirmation"), Method=BEARER)
    put(
        confirmation,
        saml("SubjectConfirmationData"),
        NotOnOrAfter=ends,
        Recipient=application.acs_url,
        InResponseTo=request_id,
    )
    conditions = put(found, saml("Conditions"), NotBefore=instant(now - EARLY), NotOnOrAfter=ends)
    put(put(conditions, saml("AudienceRestriction")), saml("Audience"), application.entity_id)
    put_authn(found, sign_in)
    put_attributes(found, [each for each in sign_in.attributes if each.values])
    return found


def put_name(subject: Element, name: NameId) -> None:
    """Say who somebody is. Raises Unwritable for a name that could not be told from another, or is too long."""
    if not 0 < len(word(name.value)) <= LONGEST_NAME:
        raise unwritable("NameID is no text that can name somebody")
    put(
        subject,
        saml("NameID"),
        name.value,
        Format=name.format,
        NameQualifier=name.name_qualifier,
        SPNameQualifier=name.sp_name_qualifier,
    )


def put_authn(found: Element, sign_in: SignIn) -> None:
    """Say when and how somebody signed in."""
    ends = sign_in.session_not_on_or_after
    statement = put(
        found,
        saml("AuthnStatement"),
        AuthnInstant=instant(sign_in.authn_instant),
        SessionIndex=sign_in.session_index,
        SessionNotOnOrAfter=instant(ends) if ends else "",
    )
    put(put(statement, saml("AuthnContext")), saml("AuthnContextClassRef"), sign_in.authn_context)


def put_attributes(found: Element, attributes: Sequence[Attribute]) -> None:
    """Say what else is told of somebody, where anything is."""
    if not attributes:
        return
    statement = put(found, saml("AttributeStatement"))
    for each in attributes:
        if not each.name:
            raise unwritable("an attribute has no Name")
        told = put(
            statement,
            saml("Attribute"),
            Name=each.name,
            NameFormat=each.name_format,
            FriendlyName=each.friendly_name,
        )
        for value in each.values:
            put(told, saml("AttributeValue"), value)
