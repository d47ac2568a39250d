"""What an identity provider's response has to say (SAML profiles 4.1.4.2 and 4.1.4.3), one function a rule.

Each yields what keeps a response from being for us, by this provider, about this trip, and of this moment. Nothing here
asks whether it is genuine. What is yielded is for logs: it holds no text of the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from federation.saml.documents import Element
from identity.foundation import clock

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
NAME_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
ENTITY: Final = f"{NAME_FORMAT}entity"
SKEW: Final = 60
"""Seconds by which a provider's clock may be wrong."""
UNSOLICITED: Final = timedelta(minutes=6)
"""How old an assertion may be that nobody asked for (Amazon: SAML session initiation)."""
MOMENT = re.compile(r"[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}(?:\.[0-9]{1,9})?Z")
"""SAML core 1.3.3: UTC, and says so."""
LONGEST_WORD: Final = 1024
"""Characters of an identifier (SAML core 8.3.6)."""
LONGEST_NAME: Final = 256
"""Characters of a person's name (SAML core 8.3.7)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a response has to be: all of it from configuration, and from what was kept when somebody left."""

    issuer: str
    """What the provider calls itself: its entity id."""
    certificates: Sequence[x509.Certificate]
    """By whose keys it signs. All of them are good, whenever they say that they are."""
    acs_url: str
    """Where responses are brought to us, exactly."""
    audience: str
    """What we call ourselves there: our entity id."""
    request_id: str = ""
    """The ID of the request that a browser left with."""
    is_unsolicited: bool = False
    """A browser left with no request, and may come without: said beside no ``request_id``, or nothing is read."""
    is_of_others: bool = False
    """It was issued for a sign-in at an application, whose request nobody here knows: it may name any, or none, and is
    good until it ends, however long ago it was issued. Said in place of the two before."""
    keys: Sequence[rsa.RSAPrivateKey] = field(default=(), repr=False)
    """Ours, for which assertions may be encrypted."""
    must_be_encrypted: bool = False
    """An assertion that everybody can read is refused."""
    skew: int = SKEW

    def __post_init__(self) -> None:
        """Raise ValueError where nothing would be expected: an empty name is everybody's."""
        if not (self.issuer and self.acs_url and self.audience):
            raise ValueError("an expectation is empty")
        if [bool(self.request_id), self.is_unsolicited, self.is_of_others].count(True) != 1:
            raise ValueError("an answer is either to a request of ours, or unsolicited, or of others")

    def is_past(self, moment: datetime, *, since: timedelta = timedelta()) -> bool:
        """Say whether a moment has come, so long ago at least, by the slowest of clocks."""
        return moment <= clock.now() - since - timedelta(seconds=self.skew)

    def is_to_come(self, moment: datetime) -> bool:
        """Say whether a moment is yet to come, by the fastest of clocks."""
        return moment > clock.now() + timedelta(seconds=self.skew)


class Past(str):
    """What is wrong with an element because its time is over, and since when."""

    __slots__ = ("since",)
    since: datetime

    def __new__(cls, problem: str, since: datetime) -> Self:
        """Keep both."""
        made = super().__new__(cls, problem)
        made.since = since
        return made


Rule = Callable[[Element, Expected], Iterator[str]]


# -- reading ---------------------------------------------------------------------------------------------------------


def text(element: Element | None) -> str | None:
    """Return the text of an element, all of it; None where it is not there, or is no text alone."""
    return None if element is None or len(element) else "".join(element.itertext())


def word(value: str | None) -> str:
    """Return an identifier; empty for what is none, or could not be told from another by looking at it."""
    found = value or ""
    return found if len(found) <= LONGEST_WORD and found.isprintable() and found == found.strip() else ""


def moment(value: str | None) -> datetime | None:
    """Return a moment that an attribute tells; None where it tells none."""
    if value is None or not MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def saml(path: str) -> str:
    """Return a path of SAML's names as lxml reads it."""
    return "/".join(f"{{{SAML}}}{step}" for step in path.split("/"))


def samlp(path: str) -> str:
    """Return a path of the protocol's names as lxml reads it."""
    return "/".join(f"{{{PROTOCOL}}}{step}" for step in path.split("/"))


# -- rules of both ---------------------------------------------------------------------------------------------------


def version(element: Element, expected: Expected) -> Iterator[str]:
    """SAML core 2.3.3 and 3.2.2."""
    del expected
    if element.get("Version") != "2.0":
        yield "it is not 2.0"


def identifier(element: Element, expected: Expected) -> Iterator[str]:
    """Without an ID nothing can be signed, nor be known when it comes again."""
    del expected
    if not element.get("ID"):
        yield "it has none"


def issue_instant(element: Element, expected: Expected) -> Iterator[str]:
    """Nothing is issued tomorrow; what nobody asked for was issued just now."""
    made = moment(element.get("IssueInstant"))
    if made is None:
        yield "it is missing, or no moment in UTC"
    elif expected.is_to_come(made):
        yield "it is to come"
    elif expected.is_unsolicited and expected.is_past(made, since=UNSOLICITED):
        yield "it is too long ago for what nobody asked for"


def issuer(element: Element, expected: Expected) -> Iterator[str]:
    """Who says so is the provider that somebody went to."""
    found = element.findall(saml("Issuer"))
    if len(found) != 1:
        yield "there is not one"
    elif text(found[0]) != expected.issuer:
        yield "it is another provider"
    elif found[0].get("Format", ENTITY) != ENTITY:
        yield "its Format is another"


# -- rules of responses ----------------------------------------------------------------------------------------------


def issuer_of_response(response: Element, expected: Expected) -> Iterator[str]:
    """As of an assertion, but that an envelope need not name it (SAML profiles 4.1.4.2)."""
    if response.find(saml("Issuer")) is not None:
        yield from issuer(response, expected)


def destination(response: Element, expected: Expected) -> Iterator[str]:
    """SAML bindings 3.5.5.2: what was sent to another is not brought here."""
    if response.get("Destination") is None:
        yield "it is missing"
    elif response.get("Destination") != expected.acs_url:
        yield "it is another address"


def in_response_to(element: Element, expected: Expected) -> Iterator[str]:
    """Whoever left with a request comes back with its answer, and who left with none brings no answer to one.

    Where others sent them, their request is for those others to know.
    """
    found = element.get("InResponseTo")
    if expected.is_of_others:
        return
    if expected.is_unsolicited:
        if found is not None:
            yield "it names a request, and none is pending"
    elif found is None:
        yield "it is missing"
    elif found != expected.request_id:
        yield "it is another request"


# -- rules of assertions ---------------------------------------------------------------------------------------------


def subject(assertion: Element, expected: Expected) -> Iterator[str]:
    """There is one person."""
    del expected
    if len(assertion.findall(saml("Subject"))) != 1:
        yield "there is not one"


def name_id(assertion: Element, expected: Expected) -> Iterator[str]:
    """Who has one name, in clear, that can be kept: a text, of a Format that names people."""
    del expected
    subjects = assertion.findall(saml("Subject"))
    yield from name_problems([child for each in subjects for child in each if child.tag in NAMES])


def name_problems(names: Sequence[Element]) -> Iterator[str]:
    """Yield what keeps elements from being the one name of a person, which can be kept."""
    if len(names) != 1 or names[0].tag != saml("NameID"):
        yield "there is not one"
    elif not 0 < len(word(text(names[0]))) <= LONGEST_NAME:
        yield "it is no text that can name somebody"
    elif names[0].get("Format") in {ENTITY, f"{NAME_FORMAT}encrypted"}:
        yield "its Format names no person"


def subject_confirmation(assertion: Element, expected: Expected) -> Iterator[str]:
    """Whoever brings it is the person: one bearer confirmation at least is for us, this request and this moment."""
    problems = [
        next(bearer_problems(found, expected), "")
        for found in assertion.findall(saml("Subject/SubjectConfirmation"))
        if found.get("Method") == BEARER
    ]
    if "" not in problems:
        yield problems[0] if problems else "there is none for a bearer"


def bearer_problems(confirmation: Element, expected: Expected) -> Iterator[str]:
    """Yield what keeps a confirmation from being for whoever brings it (SAML profiles 4.1.4.2)."""
    found = confirmation.findall(saml("SubjectConfirmationData"))
    if len(found) != 1:
        yield "SubjectConfirmationData is missing, or there twice"
    for data in found:
        yield from data_problems(data, expected)


def data_problems(data: Element, expected: Expected) -> Iterator[str]:
    """Yield what keeps the data of a confirmation from being for us, this request and this moment."""
    if data.get("Recipient") != expected.acs_url:
        yield "Recipient is missing" if data.get("Recipient") is None else "Recipient is another address"
    ends = moment(data.get("NotOnOrAfter"))
    if ends is None:
        yield "NotOnOrAfter is missing, or no moment in UTC"
    elif expected.is_past(ends):
        yield Past("NotOnOrAfter is past", ends)
    if data.get("NotBefore") is not None:
        yield "NotBefore is there"
    yield from (f"InResponseTo: {problem}" for problem in in_response_to(data, expected))


def conditions(assertion: Element, expected: Expected) -> Iterator[str]:
    """SAML core 2.5.1: there are some, all are understood, and it is their time."""
    found = assertion.findall(saml("Conditions"))
    if len(found) != 1:
        yield "there are not some once"
    for each in found:
        yield from time_problems(each, expected)
        if {child.tag for child in each} - UNDERSTOOD:
            yield "one is not understood"


def time_problems(conditions: Element, expected: Expected) -> Iterator[str]:
    """Yield what keeps conditions from being of this moment."""
    begins, ends = (moment(conditions.get(name)) for name in ("NotBefore", "NotOnOrAfter"))
    if begins is None and conditions.get("NotBefore") is not None:
        yield "NotBefore is no moment in UTC"
    elif begins is not None and expected.is_to_come(begins):
        yield "NotBefore is to come"
    if ends is None and conditions.get("NotOnOrAfter") is not None:
        yield "NotOnOrAfter is no moment in UTC"
    elif ends is not None and expected.is_past(ends):
        yield Past("NotOnOrAfter is past", ends)


def audience_restriction(assertion: Element, expected: Expected) -> Iterator[str]:
    """SAML core 2.5.1.4: we are in each audience, and there is one."""
    found = assertion.findall(saml("Conditions/AudienceRestriction"))
    if not found:
        yield "there is none"
    if any(expected.audience not in map(text, each.findall(saml("Audience"))) for each in found):
        yield "it is for others"


def authn_statement(assertion: Element, expected: Expected) -> Iterator[str]:
    """Somebody signed in there: before now, and their session is not over."""
    found = assertion.findall(saml("AuthnStatement"))
    if not found:
        yield "there is none"
    for each in found:
        made = moment(each.get("AuthnInstant"))
        if made is None:
            yield "AuthnInstant is missing, or no moment in UTC"
        elif expected.is_to_come(made):
            yield "AuthnInstant is to come"
        ends = moment(each.get("SessionNotOnOrAfter"))
        if ends is None and each.get("SessionNotOnOrAfter") is not None:
            yield "SessionNotOnOrAfter is no moment in UTC"
        elif ends is not None and expected.is_past(ends):
            yield Past("SessionNotOnOrAfter is past", ends)


def attribute_statement(assertion: Element, expected: Expected) -> Iterator[str]:
    """What is told of the person can be read, and has names."""
    del expected
    for each in assertion.findall(saml("AttributeStatement/*")):
        if each.tag != saml("Attribute"):
            yield "an attribute is encrypted"
        elif not each.get("Name"):
            yield "an attribute has no Name"


NAMES = {saml("NameID"), saml("BaseID"), saml("EncryptedID")}
"""Ways to name somebody."""
UNDERSTOOD = {saml("AudienceRestriction"), saml("OneTimeUse"), saml("ProxyRestriction")}
"""Conditions that bind us, or only others: who keeps each assertion's ID uses it once."""
RESPONSE: Mapping[str, Rule] = {
    "Version": version,
    "ID": identifier,
    "IssueInstant": issue_instant,
    "Destination": destination,
    "Issuer": issuer_of_response,
    "InResponseTo": in_response_to,
}
"""Of the envelope, by what each looks at. Whether there was success is asked behind them all."""
ASSERTION: Mapping[str, Rule] = {
    "Version": version,
    "ID": identifier,
    "IssueInstant": issue_instant,
    "Issuer": issuer,
    "Subject": subject,
    "NameID": name_id,
    "SubjectConfirmation": subject_confirmation,
    "Conditions": conditions,
    "AudienceRestriction": audience_restriction,
    "AuthnStatement": authn_statement,
    "AttributeStatement": attribute_statement,
}
"""Of what the provider signed, by what each looks at."""
