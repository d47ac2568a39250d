"""Reads what an application asks our identity provider (SAML profiles 4.1.4.1), and where to answer.

Two things are refused in two ways. Where nobody can say who asks, or where an answer goes, there is none: the browser
sees a page. What is asked in an application's own name, and cannot be had, is answered with a status.

Three things are the caller's: to find the application by the name that a request tells, to verify the signature of a
query, and to keep the ID of each request, which is answered once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from federation.refusals import forged
from federation.saml import documents, signatures, statuses
from federation.saml.authn_contexts import COMPARISONS, Requested
from federation.saml.documents import Element
from federation.saml.name_ids import FORMATS, UNSPECIFIED
from federation.saml.rules import ENTITY, LONGEST_NAME, SKEW, moment, saml, samlp, text, word
from federation.saml.signatures import SIGNATURE
from federation.saml.statuses import Status
from identity.foundation import clock
from identity.foundation.errors import DomainError

AUTHN_REQUEST: Final = samlp("AuthnRequest")
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
LIFE: Final = timedelta(minutes=5)
"""How old a request may be: a browser brings it at once."""
BOOLEANS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
MOST_CLASSES: Final = 32
"""Classes of authentication context of which a request may ask for one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a request has to be: all of it from how an application is registered."""

    issuer: str
    """What the application calls itself: its entity id."""
    sso_url: str
    """Where requests are brought to us, exactly."""
    acs_urls: Mapping[int, str]
    """Where it takes answers, by their indexes; the first is the default."""
    certificates: Sequence[x509.Certificate] = ()
    """By whose keys it signs, and then it has to. Without one, a signature says nothing."""
    name_id_formats: Collection[str] = FORMATS
    """How it may ask for people to be named."""
    skew: int = SKEW
    """Seconds by which its clock may be wrong."""

    def __post_init__(self) -> None:
        """Raise ValueError where nothing would be expected: an empty name is everybody's."""
        if not (self.issuer and self.sso_url and self.acs_urls and all(self.acs_urls.values())):
            raise ValueError("an expectation is empty")


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """What an application asks."""

    id: str
    issuer: str
    acs_url: str
    """Where to answer, which is registered."""
    kept_until: datetime
    """Until when it would be taken again: so long its ID is kept."""
    force_authn: bool
    is_passive: bool
    requested: Requested
    """The classes of authentication context of which one is to be reached."""
    name_id_format: str
    """Empty where it does not say."""
    allow_create: bool
    subject: str
    """Whom it wants to be signed in, as it names them; empty where it does not say. Nobody but a hint."""
    was_signed: bool


class StatusRefused(DomainError):
    """An application asks what it cannot have: it is answered with a status, at the address where it takes answers."""

    public = "The application's request cannot be fulfilled."

    def __init__(self, status: Status, *, acs_url: str, request_id: str, detail: str = "") -> None:
        """Keep what is answered, and where."""
        super().__init__(detail=detail)
        self.status = status
        self.acs_url = acs_url
        self.request_id = request_id


def unverified_issuer(data: bytes) -> str:
    """Return who a request says that it is from, only to find what is expected of it; empty where it does not say.

    Raises:
        LoginRefused: it is no request.

    """
    return word(text(parsed(data).find(saml("Issuer"))))


def read(data: bytes, expected: Expected, *, was_signed: bool = False) -> AuthnRequest:
    """Return what a request asks, given the bytes that its binding carried.

    ``was_signed`` says that it came in a query whose signature was verified by one of the certificates.

    Raises:
        ValueError: it cannot have been verified, as there is no certificate.
        LoginRefused: nobody is to be answered; the detail names the check.
        StatusRefused: the application is to be answered with a status.

    """
    if was_signed and not expected.certificates:
        raise ValueError("a signature was verified by no certificate")
    request = parsed(data)
    if expected.certificates and (signatures.is_signed(request) or not was_signed):
        request = signatures.verified(request, expected.certificates)
    return asked(request, expected)


def asked(request: Element, expected: Expected) -> AuthnRequest:
    """Return what a request asks, which one of the certificates' keys signed where there are some.

    Raises:
        LoginRefused: nobody is to be answered; the detail names the check.
        StatusRefused: the application is to be answered with a status.

    """
    for name, problems in BEFORE_ANSWERS_ARE_SAFE.items():
        for problem in problems(request, expected):
            raise forged(f"saml request {name}: {problem}")
    acs_url, request_id = answered_at(request, expected), request.get("ID")
    for name, (problems, status) in CHECKS.items():
        for problem in problems(request, expected):
            detail = f"saml request {name}: {problem}"
            raise StatusRefused(status, acs_url=acs_url, request_id=request_id, detail=detail)
    return told(request, expected)


def parsed(data: bytes) -> Element:
    """Return the request that a document is. Raises LoginRefused."""
    root = documents.parse(data)
    if root.tag != AUTHN_REQUEST:
        raise forged("saml request: another message")
    return root


def answered_at(request: Element, expected: Expected) -> str:
    """Return the registered address of a request: the one it names, or has the index of, or the default."""
    if (url := request.get("AssertionConsumerServiceURL")) is not None:
        return str(url)
    index = request.get("AssertionConsumerServiceIndex")
    return next(iter(expected.acs_urls.values())) if index is None else expected.acs_urls[int(index)]


def told(request: Element, expected: Expected) -> AuthnRequest:
    """Return what a request asks that keeps all rules."""
    made = datetime.fromisoformat(request.get("IssueInstant"))
    policy = request.find(samlp("NameIDPolicy"))
    return AuthnRequest(
        id=request.get("ID"),
        issuer=expected.issuer,
        acs_url=answered_at(request, expected),
        kept_until=made + LIFE + timedelta(seconds=expected.skew),
        force_authn=is_true(request, "ForceAuthn"),
        is_passive=is_true(request, "IsPassive"),
        requested=requested(request),
        name_id_format=name_id_format(policy),
        allow_create=policy is not None and is_true(policy, "AllowCreate"),
        subject=word(text(request.find(saml("Subject/NameID")))),
        was_signed=bool(expected.certificates),
    )


def is_true(element: Element, name: str) -> bool:
    """Return an attribute that is true or false, and false where it is not there."""
    return BOOLEANS[element.get(name, "false")]


def requested(request: Element) -> Requested:
    """Return the classes of authentication context that a request names."""
    found = request.find(samlp("RequestedAuthnContext"))
    if found is None:
        return Requested()
    classes = (word(text(each)) for each in found)
    return Requested(tuple(classes), found.get("Comparison", "exact"))


def name_id_format(policy: Element | None) -> str:
    """Return the format of names that a policy asks for; empty where any will do."""
    found = "" if policy is None else str(policy.get("Format", ""))
    return "" if found == UNSPECIFIED else found


# -- before an answer is safe: who asks, when, whom, and where answers go --------------------------------------------


def identifier(request: Element, expected: Expected) -> Iterator[str]:
    """Without an ID nothing can be answered, nor be known when it comes again."""
    del expected
    if not request.get("ID"):
        yield "it has none"


def issuer(request: Element, expected: Expected) -> Iterator[str]:
    """The application that asks is the one whose registration is looked at."""
    found = request.findall(saml("Issuer"))
    if len(found) != 1:
        yield "there is not one"
    elif text(found[0]) != expected.issuer:
        yield "it is another application"
    elif found[0].get("Format", ENTITY) != ENTITY:
        yield "its Format is another"


def issue_instant(request: Element, expected: Expected) -> Iterator[str]:
    """It was asked just now."""
    made = moment(request.get("IssueInstant"))
    skew = timedelta(seconds=expected.skew)
    if made is None:
        yield "it is missing, or no moment in UTC"
    elif made > clock.now() + skew:
        yield "it is to come"
    elif made <= clock.now() - LIFE - skew:
        yield "it is too long ago"


def destination(request: Element, expected: Expected) -> Iterator[str]:
    """It was sent to us; what is signed says so (SAML bindings 3.4.5.2 and 3.5.5.2)."""
    found = request.get("Destination")
    if found is None and expected.certificates:
        yield "it is missing"
    elif found not in {None, expected.sso_url}:
        yield "it is another address"


def assertion_consumer_service(request: Element, expected: Expected) -> Iterator[str]:
    """Answers go where the application is registered, and nowhere else (SAML core 3.4.1)."""
    url, index = (request.get(f"AssertionConsumerService{each}") for each in ("URL", "Index"))
    if url is not None and index is not None:
        yield "URL and Index are both there"
    elif url is not None and url not in expected.acs_urls.values():
        yield "URL is not registered"
    elif index is not None and index not in map(str, expected.acs_urls):
        yield "Index is not registered"


# -- what may be asked, and else is answered with a status -----------------------------------------------------------


def version(request: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.2.1."""
    del expected
    if request.get("Version") != "2.0":
        yield "it is not 2.0"


def parts(request: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.4.1: each part that is known is there once at most, and there is no other."""
    del expected
    tags = [child.tag for child in request]
    if not PARTS.issuperset(tags):
        yield "one is not known"
    if len(tags) != len(set(tags)):
        yield "one is there twice"


def booleans(request: Element, expected: Expected) -> Iterator[str]:
    """What is true or false is one of them: no word of ours stands for ForceAuthn in another spelling."""
    del expected
    for path, name in ((".", "ForceAuthn"), (".", "IsPassive"), (samlp("NameIDPolicy"), "AllowCreate")):
        if any(each.get(name, "false") not in BOOLEANS for each in request.findall(path)):
            yield f"{name} is neither true nor false"


def protocol_binding(request: Element, expected: Expected) -> Iterator[str]:
    """Answers are posted: nothing else is registered, and an assertion is too long for a query."""
    del expected
    if request.get("ProtocolBinding", POST) != POST:
        yield "it is not HTTP-POST"


def name_id_policy(request: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.4.1.1: people are named in a format that is issued to this application, as its own."""
    policy = request.find(samlp("NameIDPolicy"))
    wanted = name_id_format(policy)
    if wanted and wanted not in expected.name_id_formats:
        yield "Format is not issued"
    if policy is not None and policy.get("SPNameQualifier", expected.issuer) != expected.issuer:
        yield "SPNameQualifier is another application"


def subject(request: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.4.1: whom it wants to be signed in is told by a name, and brought by anybody."""
    del expected
    found = request.find(saml("Subject"))
    if found is None:
        return
    if [child.tag for child in found] != [saml("NameID")]:
        yield "it is not one NameID"
    elif not 0 < len(word(text(found[0]))) <= LONGEST_NAME:
        yield "it is no text that can name somebody"


def conditions(request: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.4.1: of conditions that an assertion shall have, only the one is known that it has anyway."""
    found = request.find(saml("Conditions"))
    if found is None:
        return
    if found.attrib or any(child.tag != saml("AudienceRestriction") for child in found):
        yield "one is not understood"
    elif any(expected.issuer not in map(text, each.findall(saml("Audience"))) for each in found):
        yield "they are for others"


def requested_authn_context(request: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.3.2.2.1: some classes, and how they are compared. Declarations are nobody's."""
    del expected
    found = request.find(samlp("RequestedAuthnContext"))
    if found is None:
        return
    if found.get("Comparison", "exact") not in COMPARISONS:
        yield "Comparison is not known"
    if not 1 <= len(found) <= MOST_CLASSES or any(each.tag != saml("AuthnContextClassRef") for each in found):
        yield "it is not some classes"
    elif not all(word(text(each)) for each in found):
        yield "a class is no identifier"


PARTS = frozenset(
    {
        SIGNATURE,
        *map(saml, ("Issuer", "Subject", "Conditions")),
        *map(samlp, ("Extensions", "NameIDPolicy", "RequestedAuthnContext", "Scoping")),
    }
)
"""Children of a request. Nothing is read of Extensions, nor of Scoping: whom else to ask is the pool's to say."""
Rule = Callable[[Element, Expected], Iterator[str]]
BEFORE_ANSWERS_ARE_SAFE: Mapping[str, Rule] = {
    "ID": identifier,
    "Issuer": issuer,
    "IssueInstant": issue_instant,
    "Destination": destination,
    "AssertionConsumerService": assertion_consumer_service,
}
"""What nobody is answered for, by what each rule looks at."""
CHECKS: Mapping[str, tuple[Rule, Status]] = {
    "Version": (version, statuses.VERSION_MISMATCH),
    "parts": (parts, statuses.REQUEST_UNSUPPORTED),
    "booleans": (booleans, statuses.REQUEST_UNSUPPORTED),
    "ProtocolBinding": (protocol_binding, statuses.UNSUPPORTED_BINDING),
    "NameIDPolicy": (name_id_policy, statuses.INVALID_NAME_ID_POLICY),
    "Subject": (subject, statuses.REQUEST_UNSUPPORTED),
    "Conditions": (conditions, statuses.REQUEST_UNSUPPORTED),
    "RequestedAuthnContext": (requested_authn_context, statuses.NO_AUTHN_CONTEXT),
}
"""What is answered with a status, by what each rule looks at. Later ones rely on those before them."""
