"""What our identity provider issues: read by our own strict reader and by signxml alone, in the order of the schema."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from signxml.verifier import VerifyResult, XMLVerifier

from federation.saml import encrypting, encryption, issuing, name_ids, statuses
from federation.saml.issuing import Attribute
from federation.saml.responses import NameId
from federation.saml.statuses import Status
from federation.saml.writing import Unwritable
from identity.foundation import clock
from identity.foundation.errors import LoginRefused
from pools.ports import LoginDenied
from tests.federation.saml.encryptor import OURS
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    DS,
    ISSUER,
    NAME,
    PASSWORD,
    PERSISTENT,
    REQUEST,
    certificate,
    ec_key,
    one,
    rsa_key,
)
from tests.federation.saml.issuer import TOLD, application, issued, issuer, sign_in, tree
from tests.federation.saml.reader import NOBODYS, read, refusal

Element = Any
FORMS: list[tuple[bool, bool]] = [(True, True), (True, False), (False, True)]
FORM_NAMES = ["both signed", "assertion signed", "response signed"]


def recipient(name: str) -> x509.Certificate:
    """Return a certificate to encrypt for."""
    return certificate(rsa_key(name))


@pytest.mark.parametrize(("signs_assertion", "signs_response"), FORMS, ids=FORM_NAMES)
@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
def test_our_own_reader_takes_what_is_issued(signs_assertion: bool, signs_response: bool, is_encrypted: bool) -> None:
    with time_machine.travel("2026-03-04T05:06:07.250Z", tick=False):
        now = clock.now()
        told = sign_in(authn_instant=now - timedelta(hours=2), session_not_on_or_after=now + timedelta(hours=1))
        form = application(
            signs_assertion=signs_assertion,
            signs_response=signs_response,
            encrypts_for=recipient(OURS) if is_encrypted else None,
        )

        found = read(issuing.response(issuer(), form, told, request_id=REQUEST), must_be_encrypted=is_encrypted)

    assert found.issuer == ISSUER
    assert found.name_id == NameId(NAME, PERSISTENT, ISSUER, AUDIENCE)
    assert found.attributes == TOLD
    assert found.authn_instant == now - timedelta(hours=2)
    assert found.session_not_on_or_after == now + timedelta(hours=1)
    assert found.session_index == "_s1"
    assert found.authn_context == PASSWORD
    assert found.not_on_or_after == now + timedelta(minutes=5)
    assert found.was_encrypted is is_encrypted


@pytest.mark.parametrize(("signs_assertion", "signs_response"), FORMS, ids=FORM_NAMES)
def test_a_library_verifies_each_signature(signs_assertion: bool, signs_response: bool) -> None:
    root = tree(issued(signs_assertion=signs_assertion, signs_response=signs_response))

    for element, is_signed in ((root, signs_response), (one(root, "saml:Assertion"), signs_assertion)):
        assert len(element.findall(f"{{{DS}}}Signature")) == is_signed
        if is_signed:
            pinned = certificate(rsa_key()).public_bytes(Encoding.PEM).decode()
            found = XMLVerifier().verify(element, x509_cert=pinned, id_attribute="ID")
            assert isinstance(found, VerifyResult)
            assert one(found.signed_xml, "@ID") == element.get("ID")
            assert one(found.signed_xml, "descendant-or-self::saml:Assertion//saml:NameID").text == NAME


def test_what_nobody_asked_for_answers_no_request() -> None:
    data = issuing.response(issuer(), application(), sign_in())

    assert b"InResponseTo" not in data
    assert read(data, **NOBODYS).name_id.value == NAME
    assert refusal(data) == "response InResponseTo: it is missing"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"audience": "urn:other"}, "assertion AudienceRestriction: it is for others"),
        ({"acs_url": "https://other.example"}, "response Destination: it is another address"),
        ({"request_id": "_other"}, "response InResponseTo: it is another request"),
        ({"issuer": "https://other.example"}, "response Issuer: it is another provider"),
    ],
)
def test_nobody_else_takes_what_is_issued(changes: dict[str, str], rule: str) -> None:
    assert refusal(issued(), **changes) == rule


def test_only_its_recipient_decrypts_an_assertion() -> None:
    data = issued(encrypts_for=recipient("another's"))

    assert refusal(data) == "encryption: cannot be decrypted"
    assert NAME.encode() not in data
    assert read(data, keys=[rsa_key("another's")]).name_id.value == NAME


def test_an_assertion_is_encrypted_as_applications_read_it() -> None:
    root = tree(issued(encrypts_for=recipient(OURS)))

    path = "saml:EncryptedAssertion/xenc:EncryptedData"
    assert one(root, f"{path}/xenc:EncryptionMethod/@Algorithm") == encrypting.METHOD
    wrapped = f"{path}/ds:KeyInfo/xenc:EncryptedKey/xenc:EncryptionMethod"
    assert one(root, f"{wrapped}/@Algorithm") == encryption.TRANSPORT_MGF1_SHA1
    assert one(root, f"{wrapped}/ds:DigestMethod/@Algorithm") == encryption.SHA1


def test_nothing_is_encrypted_for_a_key_that_cannot() -> None:
    with pytest.raises(TypeError, match="RSA"):
        issued(encrypts_for=certificate(ec_key()))


def test_nothing_is_issued_twice() -> None:
    first, second = tree(issued()), tree(issued())

    ids = {*first.xpath("//@ID"), *second.xpath("//@ID")}
    assert len(ids) == 4
    assert all(len(found) == 41 for found in ids)


def test_it_is_good_for_five_minutes_and_for_clocks_that_are_late() -> None:
    with time_machine.travel("2026-03-04T05:06:07.999999Z", tick=False):
        root = tree(issued())

    conditions = one(root, "//saml:Conditions")
    assert root.get("IssueInstant") == "2026-03-04T05:06:07.999Z"
    assert conditions.get("NotBefore") == "2026-03-04T05:05:07.999Z"
    assert conditions.get("NotOnOrAfter") == "2026-03-04T05:11:07.999Z"
    assert one(root, "//saml:SubjectConfirmationData").get("NotOnOrAfter") == "2026-03-04T05:11:07.999Z"


def test_moments_are_told_in_utc() -> None:
    there = timezone(timedelta(hours=-9))
    told = sign_in(authn_instant=datetime(2026, 3, 3, 20, 6, 7, tzinfo=there))

    root = tree(issuing.response(issuer(), application(), told))

    assert one(root, "//saml:AuthnStatement").get("AuthnInstant") == "2026-03-04T05:06:07.000Z"
    assert read(issuing.response(issuer(), application(), told), **NOBODYS).authn_instant == datetime(
        2026, 3, 4, 5, 6, 7, tzinfo=UTC
    )


# -- the schema's order ----------------------------------------------------------------------------------------------

RESPONSE = ("Issuer", "Signature", "Status")
ORDER: dict[str, Sequence[str]] = {
    ".": (*RESPONSE, "Assertion"),
    "samlp:Status": ("StatusCode",),
    "saml:Assertion": ("Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"),
    "//saml:Subject": ("NameID", "SubjectConfirmation"),
    "//saml:SubjectConfirmation": ("SubjectConfirmationData",),
    "//saml:Conditions": ("AudienceRestriction",),
    "//saml:AudienceRestriction": ("Audience",),
    "//saml:AuthnStatement": ("AuthnContext",),
    "//saml:AuthnContext": ("AuthnContextClassRef",),
    "//saml:AttributeStatement": ("Attribute",) * 4,
    "//saml:Assertion/ds:Signature": ("SignedInfo", "SignatureValue", "KeyInfo"),
    "//saml:Assertion/ds:Signature/ds:KeyInfo": ("X509Data",),
    "//saml:Assertion/ds:Signature/ds:KeyInfo/ds:X509Data": ("X509Certificate",),
}
ENCRYPTED_ORDER: dict[str, Sequence[str]] = {
    ".": (*RESPONSE, "EncryptedAssertion"),
    "saml:EncryptedAssertion": ("EncryptedData",),
    "//xenc:EncryptedData": ("EncryptionMethod", "KeyInfo", "CipherData"),
    "//xenc:EncryptedData/ds:KeyInfo": ("EncryptedKey",),
    "//xenc:EncryptedKey": ("EncryptionMethod", "CipherData"),
}


def children(element: Element) -> tuple[str, ...]:
    """Return the names of an element's children."""
    return tuple(child.tag.rpartition("}")[2] for child in element)


def test_elements_are_in_the_order_of_the_schema() -> None:
    plain, encrypted = tree(issued()), tree(issued(encrypts_for=recipient(OURS)))

    assert {path: children(one(plain, path)) for path in ORDER} == ORDER
    assert {path: children(one(encrypted, path)) for path in ENCRYPTED_ORDER} == ENCRYPTED_ORDER


# -- attributes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "name_format"),
    [
        ("urn:oid:0.9.2342.19200300.100.1.3", "uri"),
        ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "uri"),
        ("custom:role", "uri"),
        ("email", "basic"),
        ("éa-b.c", "basic"),
        ("two words", "unspecified"),
        ("1st", "unspecified"),
    ],
)
def test_a_name_says_its_format(name: str, name_format: str) -> None:
    root = tree(issued([Attribute(name, ["x"])]))

    assert one(root, "//saml:Attribute").get("Name") == name
    assert one(root, "//saml:Attribute").get("NameFormat") == f"{issuing.NAME_FORMATS}{name_format}"


def test_a_friendly_name_is_told_where_there_is_one() -> None:
    root = tree(issued())

    assert root.xpath("//@FriendlyName") == ["givenName"]


@pytest.mark.parametrize("attributes", [[], [Attribute("email", [])]])
def test_where_nothing_is_told_there_is_no_statement(attributes: Sequence[Attribute]) -> None:
    data = issued(attributes)

    assert b"Attribute" not in data
    assert read(data).attributes == {}


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name_format", [name_ids.EMAIL, name_ids.UNSPECIFIED])
def test_a_name_that_is_good_everywhere_has_no_qualifiers(name_format: str) -> None:
    named = name_ids.name_id(NAME, name_format, issuer=ISSUER, application=AUDIENCE)

    data = issuing.response(issuer(), application(), sign_in(name_id=named))

    assert read(data, **NOBODYS).name_id == NameId(NAME, name_format)
    assert b"Qualifier" not in data


@pytest.mark.parametrize("name", ["", " ada", "ada\n", "a\u200bda", "x" * 257, "ada\x00", "\ud800"])
def test_nobody_is_named_by_what_cannot_name(name: str) -> None:
    with pytest.raises(Unwritable) as caught:
        issued(name=name)

    assert caught.value.detail == "saml writing: NameID is no text that can name somebody"


# -- why nobody signed in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (statuses.NO_PASSIVE, "NoPassive"),
        (statuses.NO_AUTHN_CONTEXT, "NoAuthnContext"),
        (statuses.INVALID_NAME_ID_POLICY, "InvalidNameIDPolicy"),
        (statuses.VERSION_MISMATCH, "VersionMismatch"),
    ],
)
@pytest.mark.parametrize("message", ["", "No, & <thank> you."])
def test_a_failure_is_told_and_signed(status: Status, error: str, message: str) -> None:
    data = issuing.failure(issuer(), ACS, status, request_id=REQUEST, message=message)

    with pytest.raises(LoginRefused) as caught:
        read(data)
    assert caught.value.detail == f"the provider says {error}"
    assert caught.value.parameters["description"] == message
    assert children(tree(data)) == RESPONSE
    assert children(one(tree(data), "samlp:Status")) == ("StatusCode", "StatusMessage")[: 2 if message else 1]
    assert refusal(data.replace(b"_request1", b"_request2"), request_id="_request2") == (
        "signature: by no certificate of the provider"
    )


@pytest.mark.parametrize("status", [statuses.AUTHN_FAILED, statuses.REQUEST_DENIED])
def test_somebodys_no_is_read_as_theirs(status: Status) -> None:
    with pytest.raises(LoginDenied):
        read(issuing.failure(issuer(), ACS, status), **NOBODYS)


# -- what is a mistake -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"signs_assertion": False, "signs_response": False}, "signed"),
        ({"entity_id": ""}, "a name and an address"),
        ({"acs_url": ""}, "a name and an address"),
    ],
)
def test_an_application_that_anybody_could_be_is_a_mistake(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        application(**changes)


def test_a_sign_in_that_reached_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="class of authentication context"):
        sign_in(authn_context="")


def test_a_key_is_not_shown() -> None:
    assert "RSAPrivateKey" not in repr(issuer())


@pytest.mark.parametrize("encrypts_for", [None, OURS])
def test_it_costs_little(encrypts_for: str | None) -> None:
    form = recipient(encrypts_for) if encrypts_for else None
    issued(encrypts_for=form)

    begun = time.process_time()
    for _ in range(10):
        issued(encrypts_for=form)

    assert (time.process_time() - begun) / 10 < 0.015, "1.6 ms where it was written, and 5 ms are allowed"
