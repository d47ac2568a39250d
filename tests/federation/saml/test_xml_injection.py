"""Injection of XML by what our identity provider tells: a text comes back as that very text, or nothing is issued.

Whoever puts values together by templates lets people write attributes of their own (CVE-2026-46490 in samlify).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation.saml import documents, issuing, statuses
from federation.saml.issuing import Attribute
from federation.saml.writing import Unwritable
from tests.federation.saml.encryptor import OURS
from tests.federation.saml.identity_provider import ACS, NAME, REQUEST, certificate, one, rsa_key
from tests.federation.saml.issuer import application, issued, issuer, sign_in, tree
from tests.federation.saml.reader import read
from tests.walks import walk

anything = walk(100)
ATTACKS = [
    '"><saml:Attribute Name="role"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>',
    "</saml:AttributeValue></saml:Attribute><saml:Attribute Name='role'><saml:AttributeValue>admin",
    "</saml:NameID><saml:NameID>mallory</saml:NameID>",
    "<![CDATA[x]]>",
    "]]>",
    "<!-- x -->",
    "ada<!---->.evil",
    "<?pi x?>",
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "&x;",
    "&#60;script&#62;",
    "&amp;amp;",
    "' Name='role",
    "\u2028\u2029\u0085\u00a0",
    "\U0001f600 é 中",
    "{name} %s {{x}}",
]
SPACES = ["\t", "\n", "\r", "\r\n", " x ", "a\r\nb\rc\nd\te"]
NOT_XML = ["\x00", "\x08", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff", "\ud800", "\udfff", "a\udc80b"]
WRITABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


@pytest.mark.parametrize("text", [*ATTACKS, *SPACES])
@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
def test_an_attribute_comes_back_as_it_is(text: str, is_encrypted: bool) -> None:
    recipient = certificate(rsa_key(OURS)) if is_encrypted else None
    attributes = [Attribute("a", [text, text, "end"], text), Attribute(f"urn:{text}", [text])]

    found = read(issued(attributes, encrypts_for=recipient))

    assert found.attributes == {"a": (text, text, "end"), f"urn:{text}": (text,)}
    assert found.name_id.value == NAME


@pytest.mark.parametrize("text", [text for text in ATTACKS if text.isprintable()])
def test_a_name_comes_back_as_it_is(text: str) -> None:
    found = read(issued(name=text))

    assert found.name_id.value == text
    assert "role" not in found.attributes


@pytest.mark.parametrize("text", ATTACKS)
def test_a_message_to_people_comes_back_as_it_is(text: str) -> None:
    root = tree(issuing.failure(issuer(), ACS, statuses.NO_PASSIVE, message=text))

    assert one(root, "samlp:Status/samlp:StatusMessage").text == text
    assert len(root.xpath("//*")) == len(
        tree(issuing.failure(issuer(), ACS, statuses.NO_PASSIVE, message="x")).xpath("//*")
    )


@pytest.mark.parametrize("text", NOT_XML)
@pytest.mark.parametrize(
    ("attribute", "part"),
    [
        (lambda text: Attribute("a", ["first", text]), "AttributeValue"),
        (lambda text: Attribute(text, ["a"]), "Attribute"),
        (lambda text: Attribute("a", ["a"], text), "Attribute"),
    ],
    ids=["value", "name", "friendly name"],
)
def test_what_xml_cannot_hold_is_refused_and_never_left_out(
    text: str, attribute: Callable[[str], Attribute], part: str
) -> None:
    with pytest.raises(Unwritable) as caught:
        issued([attribute(text)])

    assert caught.value.detail == f"saml writing: {part} has characters that XML does not"


def test_an_attribute_without_a_name_is_refused() -> None:
    with pytest.raises(Unwritable) as caught:
        issued([Attribute("", ["x"])])

    assert caught.value.detail == "saml writing: an attribute has no Name"


def test_a_session_and_a_request_are_told_as_they_are() -> None:
    attack = '_s1" SessionNotOnOrAfter="2999-01-01T00:00:00Z'

    root = tree(issuing.response(issuer(), application(), sign_in(session_index=attack), request_id=attack))

    assert one(root, "//saml:AuthnStatement").get("SessionIndex") == attack
    assert one(root, "//saml:AuthnStatement").get("SessionNotOnOrAfter") is None
    assert root.get("InResponseTo") == attack


@pytest.mark.parametrize("values", [["x" * (2 << 20)], ["x"] * 20_000, ["&" * 60_000]])
def test_what_is_too_large_is_refused_before_it_is_signed(values: list[str]) -> None:
    begun = time.process_time()
    with pytest.raises(Unwritable) as caught:
        issued([Attribute("a", values)])

    assert caught.value.detail == "saml writing: too large"
    assert time.process_time() - begun < 0.5


def test_what_only_encryption_makes_too_large_is_refused() -> None:
    attributes = [Attribute("a", ["x" * (documents.LARGEST * 4 // 5)])]

    assert len(read(issued(attributes)).attributes["a"][0]) > 200_000
    with pytest.raises(Unwritable) as caught:
        issued(attributes, encrypts_for=certificate(rsa_key(OURS)))
    assert caught.value.detail == "saml writing: too large"


@anything
@given(values=st.lists(WRITABLE | st.sampled_from(SPACES), min_size=1, max_size=4), name=WRITABLE.filter(bool))
@example(values=["]]>", "\r"], name="<")
def test_whatever_is_told_comes_back(values: list[str], name: str) -> None:
    data = issuing.response(
        issuer(),
        application(signs_response=False),
        sign_in(attributes=[Attribute(name, values)]),
        request_id=REQUEST,
    )

    assert read(data).attributes == {name: tuple(values)}


@anything
@given(text=st.text(st.characters(codec=None)))
def test_whatever_is_told_comes_back_or_nothing_is_issued(text: str) -> None:
    try:
        found = read(issued([Attribute("a", [text])], signs_response=False))
    except Unwritable as refused:
        assert refused.detail == "saml writing: AttributeValue has characters that XML does not"
    else:
        assert found.attributes == {"a": (text,)}
