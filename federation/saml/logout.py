"""Single logout (SAML core 3.7, SAML profiles 4.4): requests and responses, written here and read strictly.

Each side sends either, so one :class:`~federation.saml.rules.Expected` serves both: its ``acs_url`` is where logout
messages are brought to us. Which sessions end, and whether a request was answered before, is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from federation.refusals import forged, printed
from federation.saml import documents, encryption, messages, responses, rules
from federation.saml.bindings import Received
from federation.saml.documents import Element
from federation.saml.messages import Message
from federation.saml.responses import STATUS, NameId
from federation.saml.rules import Expected, moment, saml, samlp, text, word
from federation.saml.writing import instant, put
from identity.foundation import clock

LIFETIME: Final = timedelta(minutes=5)
"""For which a request that is written here may be taken."""
MOST_SESSIONS: Final = 100
"""Of one request."""
PARTIAL: Final = f"{STATUS}PartialLogout"
LONGEST_CODE: Final = 64
ENCRYPTED_ID: Final = saml("EncryptedID")


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """Who shall be signed out."""

    id: str
    """Which the response names, and which is taken once."""
    name_id: NameId
    session_indexes: tuple[str, ...]
    """Of these sessions; of all where there are none."""
    not_on_or_after: datetime | None


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """What came of a request."""

    id: str
    is_success: bool
    """There, the session is over."""
    is_partial: bool
    """Somewhere else it is not: not everybody could be told."""
    code: str
    """The innermost status code, without SAML's prefix, for logs."""


# -- writing ---------------------------------------------------------------------------------------------------------


def request(
    *, issuer: str, destination: str, name_id: NameId, session_indexes: Sequence[str] = (), identifier: str = ""
) -> Message:
    """Return a LogoutRequest, unsigned: whoever sends it signs it, in the way of its binding.

    Raises:
        Unwritable: XML cannot hold a name.

    """
    message = messages.begin("LogoutRequest", issuer=issuer, destination=destination, identifier=identifier)
    message.root.set("NotOnOrAfter", instant(clock.now() + LIFETIME))
    put(
        message.root,
        saml("NameID"),
        name_id.value,
        Format=name_id.format,
        NameQualifier=name_id.name_qualifier,
        SPNameQualifier=name_id.sp_name_qualifier,
    )
    for index in session_indexes:
        put(message.root, samlp("SessionIndex"), index)
    return message


def response(
    *, issuer: str, destination: str, in_response_to: str, status: Sequence[str] = (rules.SUCCESS,)
) -> Message:
    """Return a LogoutResponse, unsigned. ``status`` is codes within one another, the outermost first."""
    message = messages.begin("LogoutResponse", issuer=issuer, destination=destination)
    message.root.set("InResponseTo", in_response_to)
    place = put(message.root, samlp("Status"))
    for code in status:
        place = put(place, samlp("StatusCode"), Value=code)
    return message


# -- reading ---------------------------------------------------------------------------------------------------------


def read_request(received: Received, expected: Expected) -> LogoutRequest:
    """Return who shall be signed out. ``expected`` is of an unsolicited message.

    Raises:
        LoginRefused: it is signed by nobody, or breaks one of :data:`REQUEST`, which the detail names.

    """
    if not expected.is_unsolicited:
        raise ValueError("a request is no answer")
    root = genuine(received, samlp("LogoutRequest"), "request")
    decrypt_name(root, expected)
    check(root, REQUEST, "request", expected)
    indexes = tuple(word(text(each)) for each in root.iterfind(samlp("SessionIndex")))
    name = responses.named(root.find(saml("NameID")))
    return LogoutRequest(root.get("ID"), name, indexes, moment(root.get("NotOnOrAfter")))


def read_response(received: Received, expected: Expected) -> LogoutResponse:
    """Return what came of the request that ``expected`` names.

    Raises:
        LoginRefused: it is signed by nobody, or breaks one of :data:`RESPONSE`, which the detail names.

    """
    if expected.is_unsolicited:
        raise ValueError("a response is an answer")
    root = genuine(received, samlp("LogoutResponse"), "response")
    check(root, RESPONSE, "response", expected)
    codes = [code.get("Value", "") for code in root.find(samlp("Status/StatusCode")).iter(samlp("StatusCode"))]
    innermost = printed(codes[-1].removeprefix(STATUS), LONGEST_CODE)
    return LogoutResponse(root.get("ID"), codes[0] == rules.SUCCESS, PARTIAL in codes[1:], innermost)


def genuine(received: Received, tag: str, what: str) -> Element:
    """Return a message of a kind. Raises LoginRefused where it is another, or nobody signed it."""
    if not received.is_signed:
        raise forged(f"saml logout {what}: it is not signed")
    if received.root.tag != tag:
        raise forged(f"saml logout {what}: another message")
    return received.root


def check(root: Element, table: Mapping[str, rules.Rule], what: str, expected: Expected) -> None:
    """Raise LoginRefused for the first rule of a table that a message breaks."""
    responses.check(root, table, f"logout {what}", expected)


def decrypt_name(root: Element, expected: Expected) -> None:
    """Put an encrypted name's content in its place (SAML core 2.2.4). Raises LoginRefused."""
    encrypted = root.find(ENCRYPTED_ID)
    if encrypted is not None:
        name = documents.parse(encryption.decrypted(encrypted, expected.keys))
        if name.tag != saml("NameID"):
            raise forged("saml encryption: it holds another message")
        root.replace(encrypted, name)


# -- rules -----------------------------------------------------------------------------------------------------------


def not_on_or_after(root: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.7.1. Without one, a request is as old as its IssueInstant lets it be."""
    value = root.get("NotOnOrAfter")
    ends = moment(value)
    if value is not None and ends is None:
        yield "it is no moment in UTC"
    elif ends is not None and expected.is_past(ends):
        yield "it is past"


def name_id(root: Element, expected: Expected) -> Iterator[str]:
    """There is one name of one person."""
    del expected
    yield from rules.name_problems([child for child in root if child.tag in rules.NAMES])


def session_index(root: Element, expected: Expected) -> Iterator[str]:
    """Each session is named, and there are not too many to look for."""
    del expected
    found = root.findall(samlp("SessionIndex"))
    if len(found) > MOST_SESSIONS:
        yield "there are too many"
    if not all(word(text(each)) for each in found):
        yield "one is no identifier"


def status(root: Element, expected: Expected) -> Iterator[str]:
    """SAML core 3.2.2.1."""
    del expected
    if len(root.findall(samlp("Status"))) != 1 or len(root.findall(samlp("Status/StatusCode"))) != 1:
        yield "there is not one"


REQUEST: Mapping[str, rules.Rule] = {
    "Version": rules.version,
    "ID": rules.identifier,
    "IssueInstant": rules.issue_instant,
    "Destination": rules.destination,
    "Issuer": rules.issuer,
    "NotOnOrAfter": not_on_or_after,
    "NameID": name_id,
    "SessionIndex": session_index,
}
"""Of a request, by what each looks at."""
RESPONSE: Mapping[str, rules.Rule] = {
    "Version": rules.version,
    "ID": rules.identifier,
    "IssueInstant": rules.issue_instant,
    "Destination": rules.destination,
    "Issuer": rules.issuer,
    "InResponseTo": rules.in_response_to,
    "Status": status,
}
"""Of a response, by what each looks at."""
