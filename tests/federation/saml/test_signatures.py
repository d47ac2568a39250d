"""Signatures: the strict form is taken by every algorithm, and whatever differs from it is refused by its rule."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from federation.saml import documents, signatures
from identity.foundation.errors import LoginRefused
from tests.federation.saml.edits import add, drop, repeat, set_at, text_at
from tests.federation.saml.identity_provider import (
    DS,
    EXCLUSIVE,
    NAME,
    IdentityProvider,
    Key,
    certificate,
    ec_key,
    new_id,
    one,
    put,
    rsa_key,
    written,
)

Element = Any
STRANGER = "by no certificate of the provider"
SIGNED = "//saml:Assertion/ds:Signature/ds:SignedInfo"
REFERENCE = f"{SIGNED}/ds:Reference"
KEYS: dict[str, Callable[[], Key]] = {"RSA": rsa_key, "ECDSA": ec_key}


def verified(root: Element, *keys: Key, years: tuple[int, int] = (2020, 2045)) -> Element:
    """Return what is covered of a response's assertion."""
    parsed = documents.parse(written(root))
    pinned = [certificate(key, years=years) for key in keys or (rsa_key(),)]
    return signatures.verified(one(parsed, "saml:Assertion"), pinned)


def refusal(root: Element, *keys: Key) -> str:
    """Return why an assertion is refused."""
    with pytest.raises(LoginRefused) as caught:
        verified(root, *keys)
    return caught.value.detail.removeprefix("saml signature: ")


@pytest.mark.parametrize("digest", [DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512])
@pytest.mark.parametrize("method", sorted(signatures.METHODS, key=str), ids=lambda method: method.name)
def test_each_algorithm_is_taken(method: SignatureMethod, digest: DigestAlgorithm) -> None:
    key = KEYS[method.name.partition("_")[0]]()
    root = IdentityProvider(key=key, method=method, digest=digest).response()

    found = verified(root, key)

    assert one(found, "//saml:NameID").text == NAME
    assert found.find(signatures.SIGNATURE) is None


@pytest.mark.parametrize("bits", [384, 521])
def test_other_curves_are_taken(bits: int) -> None:
    key = ec_key(bits)

    assert verified(IdentityProvider(key=key, method=SignatureMethod.ECDSA_SHA512).response(), key) is not None


@pytest.mark.parametrize("prefixes", [["saml"], ["xs", "xsi", "#default"], ["samlp", "saml"]])
def test_some_prefixes_may_be_inclusive(prefixes: list[str]) -> None:
    root = IdentityProvider(prefixes=prefixes).response()

    assert one(root, f"{TRANSFORM}[2]")[0].get("PrefixList") == " ".join(prefixes)
    assert one(verified(root), "//saml:NameID").text == NAME


@pytest.mark.parametrize("years", [(2001, 2002), (2044, 2045)])
def test_a_key_is_pinned_whenever_its_certificate_is_valid(years: tuple[int, int]) -> None:
    assert verified(IdentityProvider().response(), years=years) is not None


def test_of_several_certificates_any_is_right() -> None:
    root = IdentityProvider().response()

    assert verified(root, ec_key(), rsa_key("the next"), rsa_key()) is not None
    assert refusal(root, ec_key(), rsa_key("the next")) == STRANGER


def test_what_the_signature_does_not_cover_is_not_returned() -> None:
    root = IdentityProvider().response()
    key_info = one(root, "//ds:KeyInfo")
    put(key_info, "saml:NameID", "mallory")

    assert "mallory" not in etree.tostring(verified(root), encoding="unicode")


# -- each rule, broken alone -----------------------------------------------------------------------------------------


def swap_transforms(root: Element) -> None:
    """Canonicalize before the signature is taken out."""
    transforms = one(root, f"{REFERENCE}/ds:Transforms")
    transforms.append(transforms[0])


def add_xslt(root: Element) -> None:
    """Have the message be changed by a program that it brings."""
    transform = put(one(root, f"{REFERENCE}/ds:Transforms"), "ds:Transform")
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
    transform.append(etree.fromstring('<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'))


def move_signature(root: Element) -> None:
    """Have the signature stand in another element."""
    one(root, "//saml:Subject").append(one(root, "//ds:Signature"))


def tell_prefixes(path: str, prefixes: str, times: int = 1) -> Callable[[Element], None]:
    """Return an edit that adds lists of prefixes."""

    def edit(root: Element) -> None:
        for _ in range(times):
            etree.SubElement(one(root, path), f"{{{EXCLUSIVE}}}InclusiveNamespaces", {"PrefixList": prefixes})

    return edit


METHOD, DIGEST = f"{SIGNED}/ds:SignatureMethod", f"{REFERENCE}/ds:DigestMethod"
CANONICAL = f"{SIGNED}/ds:CanonicalizationMethod"
TRANSFORM = f"{REFERENCE}/ds:Transforms/ds:Transform"
PARTS = "its parts are not those of SAML"
ELSEWHERE = "its Reference is to another element"
TRANSFORMS = "its transforms are not the two of SAML"
CANONICALIZATION = "its canonicalization is another"
NOT_ALLOWED = "its algorithm is not allowed"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


CASES: list[tuple[Callable[[Element], None], str | None]] = [
    (drop("//ds:Signature"), "it is missing"),
    (move_signature, "it is missing"),
    (repeat("//ds:Signature"), "there are several of one element"),
    (add("//ds:Signature", "ds:Object"), "it brings an Object"),
    (add("//ds:KeyInfo", "ds:Object"), "it brings an Object"),
    (repeat(REFERENCE), "it has not one Reference"),
    (drop(REFERENCE), "it has not one Reference"),
    (drop(SIGNED), "it has not one Reference"),
    (repeat(SIGNED), "it has not one Reference"),
    (set_at(REFERENCE, URI=""), ELSEWHERE),
    (set_at(REFERENCE, URI="#_other"), ELSEWHERE),
    (set_at(REFERENCE, URI="#xpointer(/)"), ELSEWHERE),
    (set_at(REFERENCE, URI="http://127.0.0.1:9/x"), ELSEWHERE),
    (set_at("//saml:Assertion", ID="_other"), ELSEWHERE),
    (set_at("//saml:Assertion", ID=None), ELSEWHERE),
    (swap_transforms, TRANSFORMS),
    (add_xslt, TRANSFORMS),
    (drop(f"{REFERENCE}/ds:Transforms"), TRANSFORMS),
    (drop(f"{TRANSFORM}[2]"), TRANSFORMS),
    (drop(f"{TRANSFORM}[1]"), TRANSFORMS),
    (set_at(f"{TRANSFORM}[2]", Algorithm=C14N), TRANSFORMS),
    (set_at(f"{TRANSFORM}[2]", Algorithm=f"{EXCLUSIVE}WithComments"), TRANSFORMS),
    (set_at(f"{TRANSFORM}[2]", Algorithm=f"{DS}base64"), TRANSFORMS),
    (add(f"{TRANSFORM}[1]", "ds:XPath"), TRANSFORMS),
    (add(f"{TRANSFORM}[2]", "ds:XPath"), CANONICALIZATION),
    (set_at(CANONICAL, Algorithm=C14N), CANONICALIZATION),
    (set_at(CANONICAL, Algorithm=f"{EXCLUSIVE}WithComments"), CANONICALIZATION),
    (add(CANONICAL, "ds:XPath"), PARTS),
    (tell_prefixes(CANONICAL, "x"), PARTS),
    (tell_prefixes(f"{TRANSFORM}[2]", "x " * 200), CANONICALIZATION),
    (tell_prefixes(f"{TRANSFORM}[2]", "x", 2), CANONICALIZATION),
    (repeat("//ds:SignatureValue"), PARTS),
    (repeat("//ds:KeyInfo"), PARTS),
    (repeat(f"{REFERENCE}/ds:DigestValue"), PARTS),
    (repeat(f"{REFERENCE}/ds:Transforms"), TRANSFORMS),
    (repeat(METHOD), PARTS),
    (drop("//ds:SignatureValue"), PARTS),
    (drop(METHOD), PARTS),
    (drop(DIGEST), PARTS),
    (drop(CANONICAL), PARTS),
    (add(METHOD, "ds:HMACOutputLength"), PARTS),
    (add(f"{REFERENCE}/ds:DigestValue", "ds:DigestValue"), PARTS),
    (add("//ds:SignatureValue", "saml:x"), PARTS),
    (add("//ds:Signature", "saml:x"), PARTS),
    (set_at(METHOD, Algorithm=f"{DS}rsa-sha1"), NOT_ALLOWED),
    (set_at(METHOD, Algorithm=f"{DS}hmac-sha1"), NOT_ALLOWED),
    (set_at(METHOD, Algorithm=SignatureMethod.DSA_SHA256.value), NOT_ALLOWED),
    (set_at(METHOD, Algorithm="none"), NOT_ALLOWED),
    (set_at(METHOD, Algorithm=None), NOT_ALLOWED),
    (set_at(DIGEST, Algorithm=f"{DS}sha1"), "its digest is not allowed"),
    (set_at(DIGEST, Algorithm="none"), "its digest is not allowed"),
    (set_at(METHOD, Algorithm=SignatureMethod.ECDSA_SHA256.value), STRANGER),
    (set_at(METHOD, Algorithm=SignatureMethod.RSA_SHA512.value), STRANGER),
    (set_at("//ds:SignatureValue", Id="_s"), None),
    (text_at("//ds:SignatureValue", "AAAA"), STRANGER),
    (text_at("//ds:SignatureValue", "?"), STRANGER),
    (text_at("//ds:SignatureValue", None), "not verifiable (TypeError)"),
    (text_at(f"{REFERENCE}/ds:DigestValue", "AAAA"), STRANGER),
    (text_at("//saml:NameID", "mallory"), STRANGER),
    (lambda root: setattr(one(root, "//ds:Signature"), "tail", "text"), "not verifiable (XMLSyntaxError)"),
    (set_at("//saml:NameID", Format="urn:other"), STRANGER),
    (add("//saml:Subject", "saml:NameID"), STRANGER),
    (set_at("//ds:SignedInfo", Odd="x"), "not verifiable (DocumentInvalid)"),
]


@pytest.mark.parametrize(("edit", "rule"), CASES)
def test_each_rule_refuses_alone(edit: Callable[[Element], None], rule: str | None) -> None:
    root = IdentityProvider().response()
    verified(root)

    edit(root)

    if rule is None:
        assert verified(root) is not None
    else:
        assert refusal(root) == rule


@pytest.mark.parametrize(
    "method", [SignatureMethod.RSA_SHA1, SignatureMethod.RSA_SHA224, SignatureMethod.SHA256_RSA_MGF1]
)
def test_what_really_is_signed_by_another_algorithm_is_refused(method: SignatureMethod) -> None:
    assert refusal(IdentityProvider(method=method).response()) == NOT_ALLOWED


def test_what_really_is_hashed_by_sha_1_is_refused() -> None:
    assert refusal(IdentityProvider(digest=DigestAlgorithm.SHA1).response()) == "its digest is not allowed"


def test_a_strangers_key_is_none_whatever_the_message_says_of_it() -> None:
    assert refusal(IdentityProvider(key="a stranger's").response()) == STRANGER


def test_a_certificate_is_no_secret() -> None:
    root = IdentityProvider().response()
    one(root, METHOD).set("Algorithm", SignatureMethod.HMAC_SHA256.value)
    mac = hmac.HMAC(certificate(rsa_key()).public_bytes(Encoding.PEM), hashes.SHA256())
    mac.update(etree.tostring(one(root, SIGNED), method="c14n", exclusive=True))
    one(root, "//ds:SignatureValue").text = base64.b64encode(mac.finalize()).decode()

    assert refusal(root) == NOT_ALLOWED


def test_a_signature_of_one_assertion_is_none_of_another() -> None:
    root, other = IdentityProvider().response(), IdentityProvider().response()
    signature = one(other, "//ds:Signature")
    one(root, "//saml:Assertion").replace(one(root, "//saml:Assertion/ds:Signature"), signature)

    assert refusal(root) == ELSEWHERE
    one(root, REFERENCE).set("URI", f"#{one(root, '//saml:Assertion').get('ID')}")
    assert refusal(root) == STRANGER
    one(root, "//saml:Assertion").set("ID", new_id())
    assert refusal(root) == ELSEWHERE


def test_an_id_that_begins_like_a_reference_is_refused_twice() -> None:
    """To signxml ``##x`` is ``#x``. Documents with such an ID come no further; here one does."""

    def edit(root: Element) -> None:
        set_at("//saml:Assertion", ID="#_part")(root)
        set_at("//saml:Subject", ID="_part")(root)

    assertion = one(IdentityProvider(before=edit).response(), "saml:Assertion")

    with pytest.raises(LoginRefused) as caught:
        signatures.verified(assertion, [certificate(rsa_key())])
    assert caught.value.detail == "saml signature: not verifiable (DocumentInvalid)"
