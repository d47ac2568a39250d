"""XML of strangers: what is carried strictly, and what a document may not have."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.saml import documents
from identity.foundation.errors import LoginRefused
from tests.walks import walk

anything = walk(100)
BILLION = (
    '<!DOCTYPE a [<!ENTITY b0 "ha">'
    + "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a>&b9;</a>"
)
DOCTYPE = "it has a DOCTYPE"
OTHER_NODES = "it has comments or processing instructions"
ODD_ID = "an ID is no name, or in a namespace"
NOT_XML = "not XML (XMLSyntaxError)"
NAMESPACES = "its namespaces are relative or too many"


def refusal(data: bytes) -> str:
    """Return why a document is refused."""
    with pytest.raises(LoginRefused) as caught:
        documents.parse(data)
    return caught.value.detail


def attributes(count: int) -> str:
    """Return a document with attributes."""
    return "<a " + " ".join(f"a{number}='1'" for number in range(count)) + "/>"


def armoured(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


def deflated(data: bytes) -> bytes:
    """Return bytes as a query parameter has them."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        '<?xml version="1.0"?>\n<a/>\n',
        '<?xml version="1.0" encoding="UTF-8"?><a/>',
        '<?xml version="1.0" encoding="us-ascii"?><a/>',
        "\ufeff<a/>",
        "<a ID='_1'><b Id='x.y-z'/><c id='éa'/></a>",
        "<a><![CDATA[<!-- text -->]]>&#65;&amp;</a>",
        '<a xmlns="urn:a"><b xmlns=""/><c xmlns:x="http://x"/></a>',
        "<a>" * 32 + "</a>" * 32,
        f"<a>{'<b/>' * 4999}</a>",
        attributes(64),
        f"<a>{attributes(50) * 200}</a>",
        '<a xmlns:x="urn:x">' + '<b xmlns:x="urn:x" xmlns:y="urn:y"/>' * 200 + "</a>",
    ],
)
def test_a_plain_document_is_parsed(text: str) -> None:
    assert documents.parse(text.encode()).tag.endswith("a")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", NOT_XML),
        ("ada", NOT_XML),
        ("<a>", NOT_XML),
        ("<a/><b/>", NOT_XML),
        ("<a>&unknown;</a>", NOT_XML),
        ("<x:a/>", NOT_XML),
        ("<a b='1' b='2'/>", NOT_XML),
        ("<a>\x00</a>", NOT_XML),
        ("<a>&#0;</a>", NOT_XML),
        (f"<a>{'<b>' * 3000}{'</b>' * 3000}</a>", NOT_XML),
        ("<!DOCTYPE a><a/>", DOCTYPE),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', DOCTYPE),
        ('<!DOCTYPE a PUBLIC "p" "file:///etc/passwd"><a/>', DOCTYPE),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', DOCTYPE),
        ('<!DOCTYPE a [<!ATTLIST a ID CDATA "default">]><a/>', DOCTYPE),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/">%x;]><a/>', DOCTYPE),
        (BILLION, NOT_XML),
        ("<a><!-- c --></a>", OTHER_NODES),
        ("<!-- c --><a/>", OTHER_NODES),
        ("<a/><!-- c -->", OTHER_NODES),
        ("<a><?pi?></a>", OTHER_NODES),
        ('<?xml-stylesheet href="x.xsl"?><a/>', OTHER_NODES),
        ("<a>" * 33 + "</a>" * 33, "it is too deep"),
        (f"<a>{'<b/>' * 5000}</a>", "it is too deep"),
        (f"<a>{'<!---->' * 5000}</a>", "it is too deep"),
        (attributes(65), "an element has too many attributes"),
        (f"<r>{attributes(50) * 200}{attributes(1)}</r>", "it has too many attributes"),
        ('<a xmlns:x="relative"/>', NAMESPACES),
        ('<a><b xmlns="../x"/></a>', NAMESPACES),
        ("<a " + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(101)) + "/>", NAMESPACES),
        ("<a ID=''/>", ODD_ID),
        ("<a ID='#_1'/>", ODD_ID),
        ("<a ID='1'/>", ODD_ID),
        ("<a id='a b'/>", ODD_ID),
        (f"<a ID='_{'x' * 1024}'/>", ODD_ID),
        ("<a xml:id='_1'/>", ODD_ID),
        ("<a xmlns:s='urn:s' s:ID='_1'/>", ODD_ID),
        ("<a><b ID='_1'/><c ID='_1'/></a>", "an ID is there twice"),
        ("<a ID='_1' Id='_1'/>", "an ID is there twice"),
        ('<?xml version="1.0" encoding="ISO-8859-7"?><a/>', "its encoding is not UTF-8"),
        ('<?xml version="1.0" encoding="IBM037"?><a/>', NOT_XML),
        ('<?xml version="1.0" encoding="no-such"?><a/>', NOT_XML),
    ],
)
def test_each_rule_refuses_alone(text: str, rule: str) -> None:
    assert refusal(text.encode()) == f"saml document: {rule}"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "latin-1"])
@pytest.mark.parametrize(
    "text", ["<a>é</a>", BILLION, '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>']
)
def test_another_encoding_hides_nothing(encoding: str, text: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>{text}é'.encode(encoding)

    assert refusal(data) in {"saml document: not UTF-8", f"saml document: {NOT_XML}", f"saml document: {DOCTYPE}"}


def test_a_document_of_two_megabytes_is_not_looked_at() -> None:
    data = b"<a>" + b"x" * (2 << 20) + b"</a>"

    assert refusal(data) == "saml document: too large"
    for carry, carried in ((documents.posted, data), (documents.redirected, deflated(data))):
        with pytest.raises(LoginRefused) as caught:
            carry(armoured(carried))
        assert caught.value.detail == "saml document: too large"


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE a SYSTEM "{}"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "{}">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "{}">%x;]><a/>',
    ],
)
def test_no_file_is_read(tmp_path: Path, xml: str) -> None:
    (tmp_path / "secret").write_text("no DTD: whoever reads this says so")

    assert refusal(xml.format(f"file://{tmp_path}/secret").encode()) == f"saml document: {DOCTYPE}"


# -- how it is carried -----------------------------------------------------------------------------------------------


@anything
@given(st.binary(min_size=1, max_size=300))
def test_what_is_carried_arrives(data: bytes) -> None:
    assert documents.posted(armoured(data)) == data
    assert documents.posted(base64.encodebytes(data).decode().replace("\n", "\r\n")) == data
    assert documents.redirected(armoured(deflated(data))) == data


@pytest.mark.parametrize("text", [None, 7, b"PGEvPg==", ""])
def test_what_is_no_text_is_no_document(text: object) -> None:
    with pytest.raises(LoginRefused) as caught:
        documents.posted(text)

    assert caught.value.detail == "saml document: none in the answer"


@pytest.mark.parametrize(
    "text", ["PGEvPg", "PGEvPg=", "PGEvPg===", "PGEvPh==", "PGEv Pg==", "PGEv-g==", "PGEvé", "=", "PGEv!Pg==", "<a/>"]
)
def test_base64_is_strict(text: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        documents.posted(text)

    assert caught.value.detail == "saml document: not base64"


@pytest.mark.parametrize(
    "data",
    [b"<a/>", deflated(b"<a/>")[:-1], deflated(b"<a/>") + b"more", zlib.compress(b"<a/>"), b"\x00"],
    ids=["plain", "cut", "longer", "with a header", "none"],
)
def test_inflating_is_strict(data: bytes) -> None:
    with pytest.raises(LoginRefused) as caught:
        documents.redirected(armoured(data))

    assert caught.value.detail == "saml document: not deflated"


@anything
@given(st.one_of(st.binary(), st.text().map(str.encode), st.text("<>/!-[]&;?abxmlnsID=:'\" ").map(str.encode)))
def test_whatever_comes_is_a_root_or_a_refusal(data: bytes) -> None:
    try:
        root = documents.parse(data)
    except LoginRefused as refused:
        assert refused.detail.startswith("saml document: ")
    else:
        assert isinstance(root.tag, str)
