"""What an operator sees of a message that was refused: its form and times, and nothing of people."""

from __future__ import annotations

import pytest

from federation.saml import documents, redaction
from tests.federation.saml.encryptor import Encryptor
from tests.federation.saml.identity_provider import (
    ACS,
    ATTRIBUTES,
    AUDIENCE,
    ISSUER,
    NAME,
    REQUEST,
    IdentityProvider,
    posted,
)


def test_who_sent_it_where_and_when_is_shown_and_nothing_of_people() -> None:
    sent = IdentityProvider(signs=("assertion", "response")).response()

    shown = redaction.redacted(posted(sent))

    for kept in (
        ISSUER,
        ACS,
        AUDIENCE,
        REQUEST,
        str(sent.get("IssueInstant")),
        "rsa-sha256",
        "NotOnOrAfter",
        *ATTRIBUTES,
    ):
        assert kept in shown, kept
    for value in (NAME, *(value for values in ATTRIBUTES.values() for value in values if value != NAME)):
        assert value not in shown, value
    assert 'SessionIndex="…"' in shown
    assert all(len(word) < 100 for word in shown.split()), "a signature or a key"


def test_what_is_encrypted_stays_so() -> None:
    sent = IdentityProvider(encrypt=Encryptor()).response()

    shown = redaction.redacted(posted(sent))

    assert "CipherValue: …" in shown


def test_comments_and_deep_places_are_left_out() -> None:
    deep = "<a>" * 300 + "</a>" * 300

    shown = redaction.redacted(posted(f"<r><!--{NAME}--><?x {NAME}?>{deep}</r>".encode()))

    assert NAME not in shown
    assert shown.count("a") <= documents.DEEPEST + 1


@pytest.mark.parametrize("sent", [None, "", "no base64", posted(b"no xml"), posted(b"<a/>" * 100_000)], ids=str)
def test_what_is_no_document_shows_nothing(sent: str | None) -> None:
    assert redaction.redacted(sent) == ""


def test_a_large_message_is_cut() -> None:
    assert len(redaction.redacted(posted(b"<r>" + b"<a/>" * 5000 + b"</r>"))) == redaction.LONGEST


def test_of_too_many_attributes_is_said_that_they_are_there() -> None:
    names = " ".join(f"n{number}='{NAME}'" for number in range(documents.MOST_ATTRIBUTES + 1))

    shown = redaction.redacted(posted(f"<r><a {names}/><b ID='_1'/></r>".encode()))

    assert shown.splitlines() == ["r", '  a …="…"', '  b ID="_1"']


def test_what_is_too_large_for_a_document_shows_nothing() -> None:
    assert redaction.redacted(posted(f"<r>{'x' * documents.LARGEST}</r>".encode())) == ""


def test_entities_are_not_expanded() -> None:
    shown = redaction.redacted(posted(b"<!DOCTYPE r [<!ENTITY e 'secret'>]><r><Issuer>&e;</Issuer></r>"))

    assert "secret" not in shown
