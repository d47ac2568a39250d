"""Responses: genuine ones are read, however they are signed and encrypted, and a provider's own no is told."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from lxml import etree

from federation.saml import encryption
from federation.saml.responses import NameId
from identity.foundation import clock
from identity.foundation.errors import LoginRefused
from pools.ports import LoginDenied
from tests.federation.saml.edits import add, drop, set_at, text_at, then
from tests.federation.saml.encryptor import CBC, GCM, Encryptor
from tests.federation.saml.identity_provider import (
    ACS,
    ATTRIBUTES,
    AUDIENCE,
    BEARER,
    ISSUER,
    NAME,
    PASSWORD,
    PERSISTENT,
    SAML,
    IdentityProvider,
    certificate,
    ec_key,
    one,
    put,
    rsa_key,
)
from tests.federation.saml.reader import NOBODYS, UNASKED, read, refusal

Element = Any
Edit = Callable[[Element], None]
SIGNED = [("assertion",), ("response",), ("assertion", "response")]
SIGNED_NAMES = [" and ".join(each) for each in SIGNED]
XS, XSI = "http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/XMLSchema-instance"


# -- genuine ones ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signs", SIGNED, ids=SIGNED_NAMES)
def test_a_response_tells_who_came_back(signs: Sequence[str]) -> None:
    provider = IdentityProvider(signs=signs)
    with time_machine.travel("2026-03-04T05:06:07.250Z", tick=False):
        root = provider.response()
        found = read(root)
        now = clock.now()

    assert found.issuer == ISSUER
    assert found.name_id == NameId(NAME, PERSISTENT, "", AUDIENCE)
    assert found.attributes == {name: tuple(values) for name, values in ATTRIBUTES.items()}
    assert found.authn_instant == now - timedelta(seconds=5)
    assert found.session_index == "_s1"
    assert found.session_not_on_or_after == now + timedelta(hours=1)
    assert found.authn_context == PASSWORD
    assert found.assertion_id == one(root, "saml:Assertion").get("ID")
    assert found.not_on_or_after == now + timedelta(minutes=5)
    assert not found.was_encrypted


@pytest.mark.parametrize("signs", SIGNED, ids=SIGNED_NAMES)
@pytest.mark.parametrize("method", [GCM, CBC])
@pytest.mark.parametrize("must_be_encrypted", [False, True])
def test_an_encrypted_assertion_tells_the_same(signs: Sequence[str], method: str, must_be_encrypted: bool) -> None:
    encryptor = Encryptor(method=method, transport=encryption.TRANSPORT)

    found = read(IdentityProvider(signs=signs, encrypt=encryptor), must_be_encrypted=must_be_encrypted)

    assert found.name_id.value == NAME
    assert found.attributes == {name: tuple(values) for name, values in ATTRIBUTES.items()}
    assert found.was_encrypted


@pytest.mark.parametrize("prefixes", [["xs"], ["xs", "samlp"]])
@pytest.mark.parametrize("signs", SIGNED, ids=SIGNED_NAMES)
def test_typed_values_with_inclusive_prefixes_are_read(signs: Sequence[str], prefixes: list[str]) -> None:
    def edit(root: Element) -> None:
        for value in root.xpath("//saml:AttributeValue", namespaces={"saml": SAML}):
            typed = etree.SubElement(value.getparent(), value.tag, nsmap={"xs": XS, "xsi": XSI})
            typed.set(f"{{{XSI}}}type", "xs:string")
            typed.text = value.text
            value.getparent().remove(value)

    found = read(IdentityProvider(signs=signs, prefixes=prefixes, before=edit))

    assert found.attributes["email"] == (NAME,)


def test_a_response_may_be_indented() -> None:
    def edit(root: Element) -> None:
        etree.indent(root, "\t")

    assert read(IdentityProvider(before=edit)).name_id.value == NAME


def test_it_may_come_with_a_declaration_and_in_lines() -> None:
    data = etree.tostring(IdentityProvider().response(), xml_declaration=True, encoding="UTF-8")

    assert read(base64.encodebytes(data).decode()).name_id.value == NAME


def test_any_certificate_of_the_provider_is_good() -> None:
    both = [certificate(ec_key()), certificate(rsa_key(), years=(2001, 2002))]

    assert read(IdentityProvider(), certificates=both).name_id.value == NAME
    assert read(IdentityProvider(key=ec_key()), certificates=both).name_id.value == NAME


def test_whom_the_provider_sends_unasked_is_read_where_that_may_be() -> None:
    assert read(IdentityProvider(before=UNASKED), **NOBODYS).name_id.value == NAME


UNUSUAL: list[Edit] = [
    drop("/samlp:Response/saml:Issuer"),
    set_at("/samlp:Response/saml:Issuer", Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"),
    set_at("//saml:Conditions", NotBefore=None, NotOnOrAfter=None),
    set_at("//saml:Conditions", NotBefore=55),
    set_at("//saml:Conditions", NotOnOrAfter=-30),
    set_at("//saml:SubjectConfirmationData", NotOnOrAfter=-30),
    set_at("//saml:SubjectConfirmationData", NotOnOrAfter="9999-12-31T23:59:59Z", Address="192.0.2.7"),
    set_at("//saml:SubjectConfirmationData", NotOnOrAfter="2100-01-01T00:00:00.1234567Z"),
    add("//saml:Conditions", "saml:OneTimeUse"),
    add("//saml:Conditions", "saml:ProxyRestriction", Count="0"),
    add("//saml:AudienceRestriction", "saml:Audience", "somebody else"),
    add("//saml:Subject", "saml:SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
    add("//saml:Subject", "saml:SubjectConfirmation", Method=BEARER),
    add("//saml:Attribute[@Name='email']", "saml:AttributeValue", None, **{f"{{{XSI}}}nil": "true"}),
    drop("//saml:AttributeStatement"),
    set_at("//saml:AuthnStatement", SessionIndex=None, SessionNotOnOrAfter=None),
    set_at("//saml:NameID", Format=None, SPNameQualifier=None),
    text_at("//saml:NameID", NAME),
    set_at(".", Consent="urn:oasis:names:tc:SAML:2.0:consent:obtained"),
    add(".", "samlp:Extensions"),
]


@pytest.mark.parametrize("edit", UNUSUAL)
def test_what_is_unusual_and_right_is_taken(edit: Edit) -> None:
    assert read(IdentityProvider(before=edit)).name_id.value == NAME


def test_what_is_not_told_is_empty() -> None:
    edits = (
        set_at("//saml:AuthnStatement", SessionIndex=None, SessionNotOnOrAfter=None),
        set_at("//saml:NameID", Format=None, SPNameQualifier=None),
        drop("//saml:AuthnContextClassRef"),
        drop("//saml:AttributeStatement"),
    )

    found = read(IdentityProvider(before=then(*edits)))

    assert found.name_id == NameId(NAME)
    assert (found.session_index, found.session_not_on_or_after, found.authn_context) == ("", None, "")
    assert found.attributes == {}


def test_values_are_read_whole_and_structured_ones_left_out() -> None:
    def edit(root: Element) -> None:
        attributes = one(root, "//saml:AttributeStatement")
        again = put(attributes, "saml:Attribute", Name="email")
        put(again, "saml:AttributeValue", "  spaces and\nlines ")
        put(again, "saml:AttributeValue", "")
        targeted = put(attributes, "saml:Attribute", Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.10")
        put(put(targeted, "saml:AttributeValue"), "saml:NameID", "opaque")

    found = read(IdentityProvider(before=edit)).attributes

    assert found["email"] == (NAME, "  spaces and\nlines ", "")
    assert found["urn:oid:1.3.6.1.4.1.5923.1.1.1.10"] == ()


def test_of_several_confirmations_the_last_moment_counts_for_keeping() -> None:
    def edit(root: Element) -> None:
        again = put(one(root, "//saml:Subject"), "saml:SubjectConfirmation", Method=BEARER)
        put(again, "saml:SubjectConfirmationData", Recipient=ACS, NotOnOrAfter="2100-01-01T00:00:00Z")

    assert read(IdentityProvider(before=edit)).not_on_or_after.year == 2100


# -- encryption ------------------------------------------------------------------------------------------------------


def test_an_assertion_that_all_can_read_is_refused_where_it_has_to_be_encrypted() -> None:
    assert refusal(IdentityProvider(), must_be_encrypted=True) == "response: its assertion is not encrypted"


DECRYPTED: list[tuple[Encryptor, str]] = [
    (Encryptor(keys=["another's"]), "encryption: cannot be decrypted"),
    (Encryptor(plain=lambda plain: b"no XML"), "document: not XML (XMLSyntaxError)"),
    (Encryptor(plain=lambda plain: b"<!DOCTYPE a><a/>"), "document: it has a DOCTYPE"),
    (
        Encryptor(plain=lambda plain: plain.replace(b"ada@", b"ada<!---->@", 1)),
        "document: it has comments or processing instructions",
    ),
    (Encryptor(plain=lambda plain: b"<Assertion/>"), "encryption: it holds another message"),
    (
        Encryptor(
            plain=lambda plain: plain.replace(
                b"<saml:Subject>", b"<saml:Advice>" + plain + b"</saml:Advice><saml:Subject>"
            )
        ),
        "document: an ID is there twice",
    ),
    (
        Encryptor(
            plain=lambda plain: plain.replace(
                b"<saml:Subject>", b"<saml:Advice><saml:Assertion/></saml:Advice><saml:Subject>"
            )
        ),
        "response: several assertions",
    ),
    (
        Encryptor(plain=lambda plain: plain.replace(b"ada@", b"eve@", 1)),
        "signature: by no certificate of the provider",
    ),
    (Encryptor(transport=f"{encryption.XENC}rsa-1_5"), "encryption: its key transport is not allowed"),
]


@pytest.mark.parametrize(("encryptor", "rule"), DECRYPTED)
def test_what_was_decrypted_is_trusted_as_little(encryptor: Encryptor, rule: str) -> None:
    assert refusal(IdentityProvider(encrypt=encryptor)) == rule


# -- what the provider itself says -----------------------------------------------------------------------------------


def failed(*codes: str, message: str | None = None) -> Edit:
    """Return an edit to a response of no success, without an assertion."""

    def edit(root: Element) -> None:
        drop("saml:Assertion")(root)
        drop("//samlp:StatusCode")(root)
        inner = one(root, "//samlp:Status")
        for code in codes:
            inner = put(inner, "samlp:StatusCode", Value=code)
        if message is not None:
            put(one(root, "//samlp:Status"), "samlp:StatusMessage", message)

    return edit


STATUS = "urn:oasis:names:tc:SAML:2.0:status:"


@pytest.mark.parametrize("signs", [(), ("response",)])
@pytest.mark.parametrize(
    ("codes", "error", "is_denial"),
    [
        ([f"{STATUS}Responder", f"{STATUS}AuthnFailed"], "AuthnFailed", True),
        ([f"{STATUS}Requester", f"{STATUS}RequestDenied"], "RequestDenied", True),
        ([f"{STATUS}Responder"], "Responder", False),
        ([f"{STATUS}Requester", f"{STATUS}Success"], "Success", False),
        (['urn:"own" <é>' + "x" * 100], "urn:own <>" + "x" * 54, False),
        ([""], "", False),
    ],
)
def test_the_providers_own_no_is_told(signs: Sequence[str], codes: list[str], error: str, is_denial: bool) -> None:
    root = IdentityProvider(signs=signs, before=failed(*codes, message='No, "Ada"\n' + "!" * 300)).response()

    with pytest.raises(LoginDenied if is_denial else LoginRefused) as caught:
        read(root)

    assert caught.value.detail == f"the provider says {error or 'an error without a name'}"
    assert caught.value.parameters == {"error": error, "description": ("No, Ada" + "!" * 300)[:256], "status": 400}


def test_no_success_is_none_beside_an_assertion() -> None:
    provider = IdentityProvider(before=set_at("//samlp:StatusCode", Value=f"{STATUS}Responder"))

    with pytest.raises(LoginRefused) as caught:
        read(provider)
    assert caught.value.detail == "the provider says Responder"


def test_success_without_an_assertion_is_nobodys() -> None:
    assert refusal(IdentityProvider(signs=("response",), before=drop("saml:Assertion"))) == "response: no assertion"


def test_another_request_is_not_told_of_a_no() -> None:
    edit = then(failed(f"{STATUS}Responder"), set_at(".", InResponseTo="_other"))

    assert refusal(IdentityProvider(signs=(), before=edit)) == "response InResponseTo: it is another request"
