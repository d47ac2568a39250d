"""Forged responses: by a stranger's key or none, by XML that readers disagree about, and by what costs much."""

from __future__ import annotations

import base64
import copy
import time

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from tests.federation.saml.edits import add, drop, repeat, set_at, text_at
from tests.federation.saml.encryptor import Encryptor
from tests.federation.saml.identity_provider import (
    DS,
    EXCLUSIVE,
    ISSUER,
    NAME,
    Edit,
    Element,
    IdentityProvider,
    certificate,
    one,
    posted,
    put,
    rsa_key,
    written,
)
from tests.federation.saml.reader import read, refusal

STRANGER = "signature: by no certificate of the provider"
MISSING = "signature: it is missing"
OTHER_NODES = "document: it has comments or processing instructions"
DOCTYPE = "document: it has a DOCTYPE"
PARTS = "signature: its parts are not those of SAML"
NOT_ALLOWED = "signature: its algorithm is not allowed"
NOT_XML = "document: not XML (XMLSyntaxError)"
REFERENCES = "signature: it has not one Reference"
SIGNED_INFO = "//ds:SignedInfo"
DIGEST_VALUE = f"{SIGNED_INFO}/ds:Reference/ds:DigestValue"


def edited(edit: Edit, provider: IdentityProvider | None = None) -> Element:
    """Return a response that was edited after it was signed."""
    root = (provider or IdentityProvider()).response()
    assert read(copy.deepcopy(root)).name_id.value == NAME
    edit(root)
    return root


# -- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signs", [("assertion",), ("response",), ("assertion", "response")])
def test_a_strangers_key_signs_nothing_whatever_its_key_info_says(signs: tuple[str, ...]) -> None:
    stranger = IdentityProvider(key="a stranger's", signs=signs)

    assert refusal(stranger) == STRANGER
    for claim in (rsa_key(), rsa_key("a stranger's")):
        root = stranger.response()
        text = certificate(claim).public_bytes(Encoding.PEM).decode().replace("-----", "\n").splitlines()
        for each in root.iterfind(f".//{{{DS}}}X509Certificate"):
            each.text = "".join(line for line in text if "CERTIFICATE" not in line)
        assert refusal(root) == STRANGER


def test_another_providers_key_signs_nothing_of_this_one() -> None:
    other = rsa_key("another provider's")

    assert refusal(IdentityProvider(key=other)) == STRANGER
    elsewhere = IdentityProvider(key=other, entity_id="https://other.example")
    assert refusal(elsewhere, certificates=[certificate(other)]) == "response Issuer: it is another provider"
    assert read(IdentityProvider(key=other), certificates=[certificate(other)]).issuer == ISSUER


def test_no_certificate_is_nobodys() -> None:
    assert refusal(IdentityProvider(), certificates=[]) == STRANGER


PUBLIC = ["PEM certificate", "DER certificate", "PEM key"]


def by_secret(form: str) -> Edit:
    """Return an edit that signs by what is public, as if it were a secret."""
    known = certificate(rsa_key())
    secret = {
        "PEM certificate": known.public_bytes(Encoding.PEM),
        "DER certificate": known.public_bytes(Encoding.DER),
        "PEM key": known.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }[form]

    def edit(root: Element) -> None:
        set_at(f"{SIGNED_INFO}/ds:SignatureMethod", Algorithm=SignatureMethod.HMAC_SHA256.value)(root)
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(etree.tostring(one(root, SIGNED_INFO), method="c14n", exclusive=True))
        one(root, "//ds:SignatureValue").text = base64.b64encode(mac.finalize()).decode()

    return edit


@pytest.mark.parametrize("form", PUBLIC)
def test_what_is_public_is_no_secret(form: str) -> None:
    assert refusal(edited(by_secret(form))) == NOT_ALLOWED


WEAK: list[tuple[IdentityProvider, str]] = [
    (IdentityProvider(signs=()), MISSING),
    (IdentityProvider(method=SignatureMethod.RSA_SHA1), NOT_ALLOWED),
    (IdentityProvider(digest=DigestAlgorithm.SHA1), "signature: its digest is not allowed"),
    (IdentityProvider(signs=(), encrypt=Encryptor()), MISSING),
    (IdentityProvider(key="a stranger's", encrypt=Encryptor()), STRANGER),
]


@pytest.mark.parametrize(("provider", "rule"), WEAK)
def test_whoever_signs_nothing_or_by_something_weak_is_refused(provider: IdentityProvider, rule: str) -> None:
    assert refusal(provider) == rule


EDITS: list[Edit] = [
    text_at("//saml:NameID", "mallory"),
    text_at("//saml:AttributeValue[. = 'admins']", "root"),
    text_at("//saml:Audience", "urn:other"),
    set_at("//saml:SubjectConfirmationData", NotOnOrAfter=3000),
    set_at("//saml:NameID", SPNameQualifier=None),
    add("//saml:AttributeStatement", "saml:Attribute", Name="admin"),
    add("//saml:Subject", "saml:NameID", "mallory"),
    drop("//saml:Attribute[1]"),
    repeat("//saml:Attribute[1]"),
    text_at(DIGEST_VALUE, base64.b64encode(bytes(32)).decode()),
]


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_edited_is_refused(edit: Edit) -> None:
    assert refusal(edited(edit)) == STRANGER


# -- readers that disagree -------------------------------------------------------------------------------------------


def storm(before: str, after: str) -> Edit:
    """Return an edit that puts comments around what a digest is (CVE-2025-29775)."""

    def edit(root: Element) -> None:
        text_at("//saml:NameID", "mallory")(root)
        value = one(root, DIGEST_VALUE)
        genuine, value.text = value.text, None
        for text in (before, genuine, after):
            if text.startswith("<!--"):
                value.append(etree.Comment(text[4:-3]))
            elif len(value):
                value[-1].tail = (value[-1].tail or "") + text
            else:
                value.text = (value.text or "") + text

    return edit


FORGED_DIGEST = base64.b64encode(b"f" * 32).decode()
STORMS: list[Edit] = [
    storm(f"<!--{FORGED_DIGEST}-->", ""),
    storm("", f"<!--{FORGED_DIGEST}-->"),
    storm(FORGED_DIGEST, "<!---->"),
    storm(f"<!--{FORGED_DIGEST}-->", f"<!--{FORGED_DIGEST}-->"),
]


@pytest.mark.parametrize("edit", STORMS)
def test_a_comment_in_a_digest_is_refused(edit: Edit) -> None:
    assert refusal(edited(edit)) == OTHER_NODES


def another_signed_info(*, is_first: bool) -> Edit:
    """Return an edit that signs by two SignedInfo (CVE-2025-29774)."""

    def edit(root: Element) -> None:
        genuine = one(root, SIGNED_INFO)
        forged = copy.deepcopy(genuine)
        one(forged, ".//ds:DigestValue").text = FORGED_DIGEST
        (genuine.addprevious if is_first else genuine.addnext)(forged)

    return edit


def empty_signed_info(root: Element) -> None:
    """Have a SignedInfo that covers nothing before the genuine one."""
    forged = copy.deepcopy(one(root, SIGNED_INFO))
    forged.remove(one(forged, "ds:Reference"))
    one(root, "//ds:Signature").insert(0, forged)


SIGNED_INFOS: list[tuple[Edit, str]] = [
    (another_signed_info(is_first=False), REFERENCES),
    (another_signed_info(is_first=True), REFERENCES),
    (empty_signed_info, PARTS),
]


@pytest.mark.parametrize(("edit", "rule"), SIGNED_INFOS)
def test_two_signed_infos_are_refused(edit: Edit, rule: str) -> None:
    assert refusal(edited(edit)) == rule


def void(path: str) -> bytes:
    """Return a message that has no canonical form (PortSwigger, "The Fragile Lock", 2025)."""
    prefix, _, name = path.partition(":")
    data = written(IdentityProvider().response()).decode()

    forged = data.replace(f"<{prefix}:{name} ", f'<{prefix}:{name} xmlns:void="1" ', 1)
    forged = forged if forged != data else data.replace(f"<{prefix}:{name}>", f'<{prefix}:{name} xmlns:void="1">', 1)

    assert forged != data
    return forged.encode()


VOID = ["samlp:Response", "saml:Assertion", "ds:Signature", "ds:SignedInfo"]


@pytest.mark.parametrize("path", VOID)
def test_what_canonicalizes_to_nothing_is_refused(path: str) -> None:
    assert refusal(void(path)) == "document: its namespaces are relative or too many"


def in_parts(node: str, place: str) -> bytes:
    """Return a message whose name has something that is no text in it."""
    data = written(IdentityProvider().response()).decode()
    forged = data.replace(f">{NAME}</saml:NameID>", f">{place.replace('<HERE>', node)}</saml:NameID>")
    assert forged != data
    return forged.encode()


NODES = ["<!---->", "<!-- c -->", "<?pi?>", "<?xml-stylesheet x?>"]
PLACES = [
    "ada@example.com<HERE>.evil.example",
    "<HERE>ada",
    "ada<HERE>",
    "ada<HERE>b",
    "ada<HERE>@example.com",  # its canonical form has no comment: to the signature it is the same message
]


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("place", PLACES)
def test_a_name_in_two_parts_is_refused(node: str, place: str) -> None:
    assert refusal(in_parts(node, place)) == OTHER_NODES


ENTITY = '<!DOCTYPE samlp:Response [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    '<!DOCTYPE samlp:Response [<!ENTITY b0 "ha">'
    + "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 10))
    + '<!ENTITY x "&b9;">]>'
)


DOCTYPES = ["<!DOCTYPE samlp:Response>", ENTITY, LAUGHS]
UNICODE = ["utf-8", "utf-16", "utf-16-le", "utf-16-be"]
ENCODINGS = ["utf-16", "utf-32", "utf-7", "cp037", "iso-8859-1", "windows-1252"]


def encoded(encoding: str, doctype: str = "", reference: str = "") -> bytes:
    """Return a message in an encoding, with a DOCTYPE, and a reference in place of names."""
    data = written(IdentityProvider().response()).decode()
    data = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{data}'.replace(NAME, reference or NAME)
    return data.encode(encoding)


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("doctype", DOCTYPES)
@pytest.mark.parametrize("reference", ["", "&x;"])
def test_a_doctype_is_refused_in_any_encoding(encoding: str, doctype: str, reference: str) -> None:
    found = refusal(encoded(encoding, doctype, reference))

    if encoding == "utf-8":
        is_undeclared = bool(reference) and "ENTITY" not in doctype
        assert found == (NOT_XML if is_undeclared or (reference and doctype == LAUGHS) else DOCTYPE)
    else:
        assert found in {"document: not UTF-8", NOT_XML, DOCTYPE}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_genuine_message_in_another_encoding_is_refused(encoding: str) -> None:
    assert refusal(encoded(encoding)) in {"document: not UTF-8", "document: its encoding is not UTF-8", NOT_XML}


NOTHING: list[tuple[str, str]] = [
    ("", "document: none in the answer"),
    ("%%%", "document: not base64"),
    ("QQ", "document: not base64"),
    (posted(b"ada"), NOT_XML),
    (posted(b"<a/>"), "response: another message"),
    (posted(b'{"saml": true}'), NOT_XML),
    (posted(base64.b64encode(b"<a/>")), NOT_XML),
]


@pytest.mark.parametrize(("answer", "rule"), NOTHING)
def test_what_is_no_response_is_none(answer: str, rule: str) -> None:
    assert refusal(answer) == rule


# -- what costs much -------------------------------------------------------------------------------------------------


def add_xslt(root: Element) -> None:
    """Have the message be changed by a program that it brings."""
    transform = put(
        one(root, "//ds:Transforms"), "ds:Transform", None, Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"
    )
    program = (
        '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"><x:template match="/">'
        "<x:copy-of select=\"document('file:///etc/passwd')\"/></x:template></x:stylesheet>"
    )
    transform.append(etree.fromstring(program))


def many_elements(root: Element) -> None:
    """Have very many elements where anything may be."""
    extensions = put(root, "samlp:Extensions")
    for _ in range(5000):
        etree.SubElement(extensions, "x")


def many_attributes(root: Element) -> None:
    """Have very many attributes at one element, each of which is looked for among all."""
    etree.SubElement(put(root, "samlp:Extensions"), "x", {f"a{number}": "" for number in range(20_000)})


def many_namespaces(root: Element) -> None:
    """Declare very many namespaces, through which canonicalization looks at each element."""
    etree.SubElement(put(root, "samlp:Extensions"), "x", nsmap={f"n{number}": f"urn:{number}" for number in range(200)})


def many_prefixes(root: Element) -> None:
    """Name very many prefixes, which canonicalization looks for at each element, before anything is verified."""
    transform = one(root, "//ds:Transform[2]")
    etree.SubElement(transform, f"{{{EXCLUSIVE}}}InclusiveNamespaces", {"PrefixList": "n " * 50_000})


def deep(root: Element) -> None:
    """Nest very many elements."""
    inner = put(root, "samlp:Extensions")
    for _ in range(100):
        inner = etree.SubElement(inner, "x")


def long(root: Element) -> None:
    """Say very much."""
    put(root, "samlp:Extensions", "x" * (2 << 20))


COSTLY: list[tuple[Edit, str]] = [
    (add_xslt, "signature: its transforms are not the two of SAML"),
    (many_elements, "document: it is too deep"),
    (many_attributes, "document: an element has too many attributes"),
    (many_namespaces, "document: its namespaces are relative or too many"),
    (many_prefixes, "signature: its canonicalization is another"),
    (deep, "document: it is too deep"),
    (long, "document: too large"),
]


@pytest.mark.parametrize(("edit", "rule"), COSTLY)
def test_what_costs_much_is_refused_before_it_does(edit: Edit, rule: str) -> None:
    answer = posted(edited(edit))
    begun = time.process_time()

    assert refusal(answer) == rule

    assert time.process_time() - begun < 0.2


def test_what_is_as_large_as_may_be_is_read_soon() -> None:
    def edit(root: Element) -> None:
        attribute = put(one(root, "//saml:AttributeStatement"), "saml:Attribute", None, Name="groups")
        for number in range(3000):
            put(attribute, "saml:AttributeValue", f"group {number:05}")

    answer = posted(IdentityProvider(before=edit, signs=("assertion", "response")).response())
    begun = time.process_time()

    assert len(read(answer).attributes["groups"]) == 3000
    assert time.process_time() - begun < 2
