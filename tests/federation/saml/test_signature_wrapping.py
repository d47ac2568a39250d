"""Signature wrapping (Somorovsky et al., "On Breaking SAML", 2012): what is signed stays in the message, elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from lxml import etree

from tests.federation.saml.encryptor import Encryptor
from tests.federation.saml.identity_provider import (
    DS,
    NAME,
    PROTOCOL,
    SAML,
    Element,
    IdentityProvider,
    one,
    put,
)
from tests.federation.saml.reader import read, refusal

TWICE = "document: an ID is there twice"
SEVERAL = "response: several assertions"
SEVERAL_RESPONSES = "response: there are several"
ELSEWHERE = "response: its assertion is at another place"
REFERENCE = "signature: its Reference is to another element"
STRANGER = "signature: by no certificate of the provider"
MISSING = "signature: it is missing"
OBJECT = "signature: it brings an Object"
Wrap = Callable[[Element], Element]


def evil(element: Element, *, same_id: bool = False) -> Element:
    """Return a copy that names somebody else."""
    found = copy.deepcopy(element)
    found.tail = None
    one(found, ".//saml:NameID").text = "mallory"
    if not same_id:
        for each in found.iter():
            if each.get("ID"):
                each.set("ID", "_evil" + each.get("ID"))
    return found


def unsigned(element: Element) -> Element:
    """Return an element without its signature."""
    signature = one(element, "ds:Signature")
    element.remove(signature)
    return signature


def in_its_signature(same_id: bool) -> Wrap:
    """Return XSW1: the genuine response stands in the signature of the evil one."""

    def wrap(root: Element) -> Element:
        made = evil(root, same_id=same_id)
        unsigned(root)
        one(made, "ds:Signature").append(root)
        return made

    return wrap


def before_its_signature(same_id: bool) -> Wrap:
    """Return XSW2: the genuine response stands before the signature."""

    def wrap(root: Element) -> Element:
        made = evil(root, same_id=same_id)
        unsigned(root)
        one(made, "ds:Signature").addprevious(root)
        return made

    return wrap


def before(same_id: bool) -> Wrap:
    """Return XSW3: the evil assertion stands before the genuine one."""

    def wrap(root: Element) -> Element:
        genuine = one(root, "saml:Assertion")
        made = evil(genuine, same_id=same_id)
        unsigned(made)
        genuine.addprevious(made)
        return root

    return wrap


def around(same_id: bool) -> Wrap:
    """Return XSW4: the evil assertion holds the genuine one."""

    def wrap(root: Element) -> Element:
        genuine = one(root, "saml:Assertion")
        made = evil(genuine, same_id=same_id)
        unsigned(made)
        root.replace(genuine, made)
        made.append(genuine)
        return root

    return wrap


def after(same_id: bool) -> Wrap:
    """Return XSW5: the evil assertion has the signature, and the genuine one stands at the end."""

    def wrap(root: Element) -> Element:
        genuine = one(root, "saml:Assertion")
        made = evil(genuine, same_id=same_id)
        root.replace(genuine, made)
        unsigned(genuine)
        root.append(genuine)
        return root

    return wrap


def in_the_assertions_signature(same_id: bool) -> Wrap:
    """Return XSW6: the genuine assertion stands in the signature of the evil one."""

    def wrap(root: Element) -> Element:
        genuine = one(root, "saml:Assertion")
        made = evil(genuine, same_id=same_id)
        root.replace(genuine, made)
        unsigned(genuine)
        one(made, "ds:Signature").append(genuine)
        return root

    return wrap


def in_extensions(same_id: bool) -> Wrap:
    """Return XSW7: the evil assertion stands in Extensions."""

    def wrap(root: Element) -> Element:
        made = evil(one(root, "saml:Assertion"), same_id=same_id)
        extensions = etree.Element(f"{{{PROTOCOL}}}Extensions")
        one(root, "saml:Issuer").addnext(extensions)
        extensions.append(made)
        return root

    return wrap


def in_an_object(same_id: bool) -> Wrap:
    """Return XSW8: the genuine assertion stands in an Object of the signature of the evil one."""

    def wrap(root: Element) -> Element:
        genuine = one(root, "saml:Assertion")
        made = evil(genuine, same_id=same_id)
        root.replace(genuine, made)
        unsigned(genuine)
        put(one(made, "ds:Signature"), "ds:Object").append(genuine)
        return root

    return wrap


WRAPPED: list[tuple[str, Callable[[bool], Wrap], str]] = [
    ("response", in_its_signature, SEVERAL_RESPONSES),
    ("response", before_its_signature, SEVERAL_RESPONSES),
    ("assertion", before, SEVERAL),
    ("assertion", around, SEVERAL),
    ("assertion", after, SEVERAL),
    ("assertion", in_the_assertions_signature, SEVERAL),
    ("assertion", in_extensions, SEVERAL),
    ("assertion", in_an_object, SEVERAL),
]


@pytest.mark.parametrize("same_id", [False, True], ids=["another ID", "one ID"])
@pytest.mark.parametrize(("signed", "wrap", "rule"), WRAPPED, ids=[f"XSW{number}" for number in range(1, 9)])
def test_what_is_wrapped_is_refused(signed: str, wrap: Callable[[bool], Wrap], rule: str, same_id: bool) -> None:
    root = IdentityProvider(signs=(signed,)).response()
    assert read(copy.deepcopy(root)).name_id.value == NAME

    assert refusal(wrap(same_id)(root)) == (TWICE if same_id else rule)


def hidden(root: Element) -> Element:
    """Take the genuine assertion for something else: by another namespace, it is none to whoever counts."""
    genuine = one(root, "saml:Assertion")
    made = evil(genuine)
    root.replace(genuine, made)
    unsigned(genuine)
    for each in genuine.iter(f"{{{SAML}}}*"):
        each.tag = each.tag.replace(SAML, "urn:other")
    one(made, ".//saml:Subject").append(genuine)
    return root


def second_signature(root: Element) -> Element:
    """Have the evil assertion be signed by a stranger first, and by the provider of another afterwards."""
    genuine = one(root, "saml:Assertion")
    stranger = one(IdentityProvider().response(), "//ds:Signature")
    one(genuine, "ds:Signature").addprevious(stranger)
    return root


def another_root(root: Element) -> Element:
    """Put the response into something else."""
    made = etree.Element("Envelope")
    made.append(root)
    return made


def bare(root: Element) -> Element:
    """Bring the assertion alone."""
    return one(root, "saml:Assertion")


def deeper(root: Element) -> Element:
    """Have the genuine assertion at another place, and none at its own."""
    put(root, "samlp:Extensions").append(one(root, "saml:Assertion"))
    return root


def signature_elsewhere(root: Element) -> Element:
    """Have the signature of the assertion stand in the response."""
    one(root, "saml:Issuer").addnext(one(root, "saml:Assertion/ds:Signature"))
    return root


def clear_beside_encrypted(root: Element) -> Element:
    """Have an evil assertion in clear beside the genuine one, which is encrypted."""
    made = evil(one(root, "saml:Assertion"))
    unsigned(made)
    Encryptor()(root)
    root.append(made)
    return root


def namespaced_id(root: Element) -> Element:
    """Give the evil assertion its ID in a namespace, where it is another attribute."""
    genuine = one(root, "saml:Assertion")
    genuine.set(f"{{{PROTOCOL}}}ID", "_evil")
    return root


def xml_id(root: Element) -> Element:
    """Give an evil element the ID of the assertion by xml:id."""
    genuine = one(root, "saml:Assertion")
    put(root, "samlp:Extensions").set("{http://www.w3.org/XML/1998/namespace}id", genuine.get("ID"))
    return root


def other_spelling(root: Element) -> Element:
    """Give an evil element the ID of the assertion in another spelling, which some look for first."""
    put(root, "samlp:Extensions").set("Id", one(root, "saml:Assertion").get("ID"))
    return root


def hash_id(root: Element) -> Element:
    """Have an ID begin with what a reference begins with."""
    genuine = one(root, "saml:Assertion")
    genuine.set("ID", "#" + genuine.get("ID"))
    return root


def nested_response(root: Element) -> Element:
    """Have a response in a response."""
    made = evil(root)
    made.remove(one(made, "saml:Assertion"))
    root.append(made)
    return root


def nested_assertion_in_advice(root: Element) -> Element:
    """Have an assertion that another one was made from."""
    genuine = one(root, "saml:Assertion")
    made = evil(genuine)
    unsigned(made)
    put(genuine, "saml:Advice").append(made)
    return root


def signed_subject(root: Element) -> Element:
    """Have a genuine signature cover a part of the assertion alone."""
    one(root, "//saml:Subject").set("ID", "_part")
    one(root, "//ds:Reference").set("URI", "#_part")
    return root


MISPLACED: list[tuple[Wrap, str]] = [
    (hidden, REFERENCE),
    (second_signature, "signature: there are several of one element"),
    (another_root, "response: another message"),
    (bare, "response: another message"),
    (deeper, ELSEWHERE),
    (signature_elsewhere, REFERENCE),
    (clear_beside_encrypted, SEVERAL),
    (namespaced_id, "document: an ID is no name, or in a namespace"),
    (xml_id, "document: an ID is no name, or in a namespace"),
    (other_spelling, TWICE),
    (hash_id, "document: an ID is no name, or in a namespace"),
    (nested_response, SEVERAL_RESPONSES),
    (nested_assertion_in_advice, SEVERAL),
    (signed_subject, REFERENCE),
]


@pytest.mark.parametrize(("wrap", "rule"), MISPLACED)
def test_what_is_at_another_place_is_refused(wrap: Wrap, rule: str) -> None:
    root = IdentityProvider().response()
    assert read(copy.deepcopy(root)).name_id.value == NAME

    assert refusal(wrap(root)) == rule


@pytest.mark.parametrize("part", ["assertion", "response"])
def test_two_assertions_that_the_provider_signed_are_none(part: str) -> None:
    def twice(root: Element) -> None:
        root.append(evil(one(root, "saml:Assertion")))

    assert refusal(IdentityProvider(signs=(part,), between=twice)) == SEVERAL


def test_of_two_signatures_both_are_right() -> None:
    both = IdentityProvider(signs=("assertion", "response"))

    def edit(root: Element) -> None:
        one(root, "//saml:NameID").text = "mallory"

    assert refusal(IdentityProvider(signs=both.signs, between=edit)) == STRANGER
    root = both.response()
    root.remove(one(root, "ds:Signature"))
    assert read(root).name_id.value == NAME
    root = both.response()
    one(root, "saml:Assertion").remove(one(root, "saml:Assertion/ds:Signature"))
    assert refusal(root) == STRANGER


def test_nothing_is_signed_by_a_signature_that_is_none() -> None:
    root = IdentityProvider(signs=()).response()
    assert refusal(root) == MISSING
    put(root, "ds:Signature")
    assert refusal(root) == "signature: it has not one Reference"
    root.remove(one(root, "ds:Signature"))
    put(one(root, "saml:Assertion"), "ds:Signature")
    assert refusal(root) == "signature: it has not one Reference"


def test_an_object_hides_nothing() -> None:
    root = IdentityProvider().response()
    etree.SubElement(put(one(root, "//ds:Signature"), "ds:Object"), f"{{{DS}}}Manifest")

    assert refusal(root) == OBJECT
