"""Requests that browsers take to identity providers: as the schema wants them, and not a word more."""

from __future__ import annotations

import pytest
import time_machine
from lxml import etree

from federation.saml import documents, requests, signatures, signing
from federation.saml.requests import Asked
from federation.saml.signing import SigningKey
from federation.saml.writing import Unwritable
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    PASSWORD,
    PERSISTENT,
    certificate,
    one,
    rsa_key,
    written,
)

SSO = "https://idp.example/sso"
OTHER = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"


def test_a_request_says_who_asks_whom_for_an_answer_to_where() -> None:
    with time_machine.travel("2026-03-04T05:06:07.9Z", tick=False):
        message = requests.authn_request(Asked(AUDIENCE, SSO, ACS))

    root = documents.parse(message.data)

    assert root.tag == "{urn:oasis:names:tc:SAML:2.0:protocol}AuthnRequest"
    assert dict(root.attrib) == {
        "ID": message.id,
        "Version": "2.0",
        "IssueInstant": "2026-03-04T05:06:07.900Z",
        "Destination": SSO,
        "AssertionConsumerServiceURL": ACS,
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    }
    assert [etree.QName(child).localname for child in root] == ["Issuer", "NameIDPolicy"]
    assert one(root, "saml:Issuer").text == AUDIENCE
    assert dict(one(root, "samlp:NameIDPolicy").attrib) == {"AllowCreate": "true"}


def test_ids_are_names_that_nobody_guesses() -> None:
    made = {requests.authn_request(Asked(AUDIENCE, SSO, ACS)).id for _ in range(20)}

    assert len(made) == 20
    assert all(len(each) == 41 and documents.NAME.fullmatch(each) for each in made)


def test_what_is_asked_for_is_said() -> None:
    asked = Asked(
        AUDIENCE,
        SSO,
        ACS,
        name_id_format=PERSISTENT,
        force_authn=True,
        is_passive=True,
        authn_contexts=[PASSWORD, OTHER],
        comparison="minimum",
    )

    root = requests.authn_request(asked).root

    assert (root.get("ForceAuthn"), root.get("IsPassive")) == ("true", "true")
    assert one(root, "samlp:NameIDPolicy").get("Format") == PERSISTENT
    wanted = one(root, "samlp:RequestedAuthnContext")
    assert wanted.get("Comparison") == "minimum"
    assert [each.text for each in wanted] == [PASSWORD, OTHER]
    assert [etree.QName(child).localname for child in root] == ["Issuer", "NameIDPolicy", "RequestedAuthnContext"]


def test_a_signature_stands_behind_the_issuer_and_covers_all() -> None:
    message = requests.authn_request(Asked(AUDIENCE, SSO, ACS, force_authn=True))

    root = documents.parse(written(signing.signed(message.root, SigningKey(rsa_key(), certificate(rsa_key())))))

    assert [etree.QName(child).localname for child in root] == ["Issuer", "Signature", "NameIDPolicy"]
    found = signatures.verified(root, [certificate(rsa_key("b")), certificate(rsa_key())])
    assert found.get("ForceAuthn") == "true"
    assert found.get("ID") == message.id
    assert one(root, "//ds:X509Certificate").text


@pytest.mark.parametrize("name", ["a&b", '"><saml:Issuer>x</saml:Issuer>', "é\u4e2d"])
def test_a_name_is_never_markup(name: str) -> None:
    root = documents.parse(requests.authn_request(Asked(name, SSO, ACS)).data)

    assert one(root, "saml:Issuer").text == name


def test_what_xml_cannot_say_is_a_mistake() -> None:
    with pytest.raises(Unwritable) as caught:
        requests.authn_request(Asked("a\x00", SSO, ACS))
    assert caught.value.detail == "saml writing: Issuer has characters that XML does not"
