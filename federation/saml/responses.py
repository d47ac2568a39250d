"""Reads the response of an identity provider: who came back, or which check says that nobody did.

Three things are the caller's: to choose the provider by what was kept when a browser left, and never by what a message
says; to let each pending request be answered once; and to keep the ID of each assertion, which is taken once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from federation import refusals
from federation.refusals import forged
from federation.saml import documents, encryption, rules, signatures
from federation.saml.documents import Element
from federation.saml.rules import Expected, moment, saml, samlp, text, word

RESPONSE: Final = samlp("Response")
ASSERTION: Final = saml("Assertion")
ENCRYPTED: Final = saml("EncryptedAssertion")
NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"


@dataclass(frozen=True, slots=True)
class NameId:
    """How a provider names a person. A persistent name is one of this provider, and of its qualifiers, alone."""

    value: str
    format: str = ""
    """Empty where the provider does not say."""
    name_qualifier: str = ""
    sp_name_qualifier: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came back, all of it from what the provider signed."""

    issuer: str
    name_id: NameId
    attributes: Mapping[str, tuple[str, ...]]
    """Values by the attribute's Name, in their order. One that holds elements is no text, and is not among them."""
    authn_instant: datetime
    """When they signed in there."""
    session_index: str
    """Which session that began, for signing out; empty where the provider does not say."""
    session_not_on_or_after: datetime | None
    authn_context: str
    """The class of assurance; empty where the provider does not say."""
    assertion_id: str
    not_on_or_after: datetime
    """Until when, and the skew beyond, the assertion would be taken again: so long its ID is kept."""
    was_encrypted: bool = field(default=False, kw_only=True)


def read(answer: object, expected: Expected) -> SignedIn:
    """Return who came back with a response in a form field ``SAMLResponse``.

    Raises:
        LoginDenied: the provider says that the person did not want to, or may not.
        LoginRefused: a check refuses it, which the detail names; or the provider's own refusal.

    """
    root = documents.parse(documents.posted(answer))
    check_shape(root)
    is_signed = signatures.is_signed(root)
    response = signatures.verified(root, expected.certificates) if is_signed else root
    check(response, rules.RESPONSE, "response", expected)
    check_success(response)
    found = response.find(ENCRYPTED)
    was_encrypted = found is not None
    if was_encrypted:
        assertion = decrypted(found, expected)
    elif expected.must_be_encrypted:
        raise forged("saml response: its assertion is not encrypted")
    else:
        assertion = response.find(ASSERTION)
    if assertion is None:
        raise forged("saml response: no assertion")
    if signatures.is_signed(assertion) or not is_signed:
        assertion = signatures.verified(assertion, expected.certificates)
    check(assertion, rules.ASSERTION, "assertion", expected)
    return told(assertion, expected, was_encrypted=was_encrypted)


def check_shape(root: Element) -> None:
    """Raise LoginRefused unless a document is one response, with one assertion at most, at its place."""
    if root.tag != RESPONSE:
        raise forged("saml response: another message")
    if any(True for _ in root.iterdescendants(RESPONSE)):
        raise forged("saml response: there are several")
    found = list(root.iter(ASSERTION, ENCRYPTED))
    if len(found) > 1:
        raise forged("saml response: several assertions")
    if found and found[0].getparent() is not root:
        raise forged("saml response: its assertion is at another place")


def decrypted(encrypted: Element, expected: Expected) -> Element:
    """Return the assertion that was encrypted, a document of its own. Raises LoginRefused."""
    assertion = documents.parse(encryption.decrypted(encrypted, expected.keys))
    if assertion.tag != ASSERTION:
        raise forged("saml encryption: it holds another message")
    if len(list(assertion.iter(ASSERTION, ENCRYPTED, RESPONSE))) > 1:
        raise forged("saml response: several assertions")
    return assertion


def check(element: Element, table: Mapping[str, rules.Rule], what: str, expected: Expected) -> None:
    """Raise LoginRefused for the first rule of a table that an element breaks.

    Its parameters are the ``rule``, and ``ended``, in seconds of the epoch, where only its time is over.
    """
    for name, problems in table.items():
        for problem in problems(element, expected):
            ended = {"ended": int(problem.since.timestamp())} if isinstance(problem, rules.Past) else {}
            raise forged(f"saml {what} {name}: {problem}", rule=name, **ended)


def check_success(response: Element) -> None:
    """Raise what a provider's status is unless it says that it succeeded. Raises as :func:`read`."""
    codes = response.findall(samlp("Status/StatusCode"))
    if len(codes) != 1:
        raise forged("saml response Status: there is not one")
    if codes[0].get("Value") == rules.SUCCESS:
        return
    said = [code.get("Value", "") for code in codes[0].iter(samlp("StatusCode"))]
    raise refusals.told(said[-1].removeprefix(STATUS), text(response.find(samlp("Status/StatusMessage"))) or "")


def told(assertion: Element, expected: Expected, *, was_encrypted: bool) -> SignedIn:
    """Return what an assertion tells that keeps all rules."""
    statement = assertion.find(saml("AuthnStatement"))
    data = assertion.iterfind(saml("Subject/SubjectConfirmation/SubjectConfirmationData"))
    ends = [found for each in data if (found := moment(each.get("NotOnOrAfter"))) is not None]
    return SignedIn(
        expected.issuer,
        named(assertion.find(saml("Subject/NameID"))),
        attributes(assertion),
        datetime.fromisoformat(statement.get("AuthnInstant")),
        word(statement.get("SessionIndex")),
        moment(statement.get("SessionNotOnOrAfter")),
        word(text(statement.find(saml("AuthnContext/AuthnContextClassRef")))),
        assertion.get("ID"),
        max(ends),
        was_encrypted=was_encrypted,
    )


def named(name: Element) -> NameId:
    """Return how a person is named by an element that keeps the rules of names."""
    described = (word(name.get(part)) for part in ("Format", "NameQualifier", "SPNameQualifier"))
    return NameId(word(text(name)), *described)


def attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Return what an assertion tells of the person. Of an attribute that is there twice all values count."""
    found: dict[str, tuple[str, ...]] = {}
    for each in assertion.iterfind(saml("AttributeStatement/Attribute")):
        values = [text(value) for value in each.iterfind(saml("AttributeValue")) if value.get(NIL) not in {"true", "1"}]
        found[each.get("Name")] = found.get(each.get("Name"), ()) + tuple(v for v in values if v is not None)
    return found
