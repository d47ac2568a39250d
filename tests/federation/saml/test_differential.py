"""Two readers, one corpus: where both take a response they read the same, and where they differ the reason is here.

Whoever changes either sees what it changes: the tables count messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from federation.saml import responses
from federation.saml.responses import SignedIn
from identity.foundation.errors import LoginRefused
from tests.federation.saml import corpus
from tests.federation.saml.other_reader import OtherReader, Read
from tests.federation.saml.reader import expected


class Outcome(NamedTuple):
    """What becomes of a message."""

    name: str
    found: SignedIn | None
    """Ours."""
    rule: str
    """Why ours refuses."""
    other: Read


def outcome(message: corpus.Message, other: OtherReader) -> Outcome:
    """Return what becomes of a message."""
    answer, wanted = message.answer(), expected(**message.expected)
    theirs = other.read(answer, wanted)
    try:
        return Outcome(message.name, responses.read(answer, wanted), "", theirs)
    except LoginRefused as refused:
        return Outcome(message.name, None, refused.detail.removeprefix("saml "), theirs)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    with OtherReader() as other:
        return [outcome(message, other) for message in corpus.messages()]


def stripped(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return values as the other reader has them."""
    return tuple(filter(None, map(str.strip, values)))


def test_where_both_accept_they_read_the_same(outcomes: list[Outcome]) -> None:
    both = [(each.name, each.found, each.other) for each in outcomes if each.found and not each.other.problem]

    assert len(both) > 40
    for name, found, other in both:
        assert found.name_id.value == other.name, name
        assert {each: stripped(values) for each, values in found.attributes.items()} == other.attributes, name


def test_both_refuse_most_forgeries_and_nobody_reads_an_attackers_name(outcomes: list[Outcome]) -> None:
    names = [each.found.name_id.value if each.found else each.other.name for each in outcomes]

    assert sum(not name for name in names) > 300
    assert not [name for name in names if "mallory" in name]


# A signature may bring an Object; wrapped messages hide there (XSW8), and of those it refuses each by other rules.
# A comment in a name is passed over and the text read whole, as is right until another reader stops there.
# Any encoding is decoded that libxml2 knows.
DOCUMENTS = {
    "signature: it brings an Object": 1,
    "document: it has comments or processing instructions": 5,
    "document: not UTF-8": 2,
    "document: its encoding is not UTF-8": 3,
}
# Of these it looks at nothing.
NOT_LOOKED_AT = {
    "response IssueInstant: it is to come": 2,
    "response Issuer: its Format is another": 2,
    "assertion IssueInstant: it is to come": 2,
    "assertion NameID: it is no text that can name somebody": 8,
    "assertion NameID: its Format names no person": 2,
    "assertion AuthnStatement: AuthnInstant is to come": 2,
}
# These it compares where they are there, and takes a message without.
ONLY_WHERE_THERE = {
    "response Destination: it is missing": 2,
    "response InResponseTo: it is missing": 2,
    "response InResponseTo: it names a request, and none is pending": 1,
    "assertion SubjectConfirmation: Recipient is missing": 2,
    "assertion SubjectConfirmation: NotOnOrAfter is missing, or no moment in UTC": 2,
    "assertion SubjectConfirmation: InResponseTo: it is missing": 2,
    "assertion AudienceRestriction: there is none": 2,
}
# A Destination may go on behind our address, and a Recipient hold it anywhere. An assertion's Version is any; a moment
# needs no zone; a bearer's confirmation may begin; clocks may differ by five minutes.
MORE_LOOSELY = {
    "response Destination: it is another address": 2,
    "assertion SubjectConfirmation: Recipient is another address": 4,
    "assertion SubjectConfirmation: NotBefore is there": 2,
    "assertion Version: it is not 2.0": 2,
    "assertion IssueInstant: it is missing, or no moment in UTC": 2,
    "assertion Conditions: NotBefore is to come": 2,
    "assertion Conditions: NotOnOrAfter is past": 2,
}
# A content key may be longer than its cipher's. RSA 1.5 and AES-192-GCM are decrypted. What is told of a cipher beside
# its name, or twice of a digest, is passed over. There may be any number of keys.
ENCRYPTION = {
    "encryption: cannot be decrypted": 1,
    "encryption: its key transport is not allowed": 3,
    "encryption: its cipher is not allowed": 2,
    "encryption: its parts are not those of SAML": 1,
}
ONLY_THE_OTHER_ACCEPTS: Mapping[str, int] = DOCUMENTS | NOT_LOOKED_AT | ONLY_WHERE_THERE | MORE_LOOSELY | ENCRYPTION


def test_what_only_the_other_accepts_is_refused_by_a_rule_that_is_known(outcomes: list[Outcome]) -> None:
    found = Counter(each.rule for each in outcomes if not each.found and not each.other.problem)

    assert found == ONLY_THE_OTHER_ACCEPTS


ONLY_WE_ACCEPT: Mapping[str, int] = {
    # It looks for the content key in EncryptedData alone; SAML core 6.2 lets it stand beside.
    "OneLogin_Saml2_ValidationError: No KeyInfo present, invalid Assertion": 5,
    # Its clock may differ where Conditions say until when, but not where SubjectConfirmationData does.
    "OneLogin_Saml2_ValidationError: A valid SubjectConfirmation was not found on this Response": 1,
    # Extensions at the end, where nothing is read of them.
    "OneLogin_Saml2_ValidationError: Invalid SAML Response. Not match the saml-schema-protocol-2.0.xsd": 1,
}


def test_what_only_we_accept_is_known(outcomes: list[Outcome]) -> None:
    found = Counter(each.other.problem for each in outcomes if each.found and each.other.problem)

    assert found == ONLY_WE_ACCEPT
