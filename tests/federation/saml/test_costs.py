"""What a refusal costs: however a stranger makes a message, 50 milliseconds of CPU at most, two certificates live."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from urllib.parse import quote

import pytest
from lxml import etree

from federation.saml import bindings, documents, service_provider
from identity.foundation.errors import LoginRefused
from tests.federation.saml.costs import cheaply
from tests.federation.saml.encryptor import CBC, Encryptor
from tests.federation.saml.identity_provider import (
    EXCLUSIVE,
    Edit,
    Element,
    IdentityProvider,
    certificate,
    ec_key,
    one,
    posted,
    put,
    rsa_key,
)
from tests.federation.saml.reader import expected


def assert_cheap(refuse: Callable[[], object]) -> None:
    """Hold that a refusal costs little."""
    with pytest.raises(LoginRefused):
        cheaply(refuse)


def inside(path: str, count: int, name: str = "x", **attributes: str) -> Edit:
    """Return an edit that puts many elements somewhere."""

    def edit(root: Element) -> None:
        place = one(root, path)
        for _ in range(count):
            etree.SubElement(place, name, attributes)

    return edit


def different_ids(root: Element) -> None:
    """Have as many IDs as there may be elements."""
    for number in range(4900):
        etree.SubElement(root, "x", {"ID": f"_{number}"})


def namespaces(root: Element) -> None:
    """Use as many namespaces as there may be, at as many elements, where all of them are canonicalized."""
    prefixes = {f"n{number}": f"urn:{number}" for number in range(90)}
    transform = one(root, "(//ds:Transform)[2]")
    etree.SubElement(transform, f"{{{EXCLUSIVE}}}InclusiveNamespaces", {"PrefixList": "n1 " * 85})
    place = etree.SubElement(one(root, "saml:Assertion"), "x", nsmap=prefixes)
    for number in range(4800):
        etree.SubElement(place, f"{{urn:{number % 90}}}x", {f"{{urn:{number % 90}}}a": ""})


def nested(root: Element) -> None:
    """Nest elements as deep as they may be, as often as they may be there."""
    for _ in range(150):
        root.append(etree.fromstring("<a>" * 30 + "</a>" * 30))


def certificates(root: Element) -> None:
    """Bring very many certificates."""
    for _ in range(4000):
        put(one(root, "(//ds:X509Data)[1]"), "ds:X509Certificate", "AAAA")
    one(root, "//saml:NameID").text = "mallory"


def signatures(root: Element) -> None:
    """Have very many signatures."""
    found = one(root, "(//ds:Signature)[1]")
    for _ in range(60):
        found.addnext(copy.deepcopy(found))


def text(path: str, told: str) -> Edit:
    """Return an edit that puts a text there, and changes what was signed."""

    def edit(root: Element) -> None:
        one(root, f"({path})[1]").text = told
        one(root, "//saml:NameID").text = "mallory"

    return edit


LONG = documents.LARGEST - 20_000
VALUE = "//saml:AttributeValue"
SIGNED = {"the assertion signed": ("assertion",), "the response signed": ("response",)}
EDITS: dict[str, Edit] = {
    "a long text": text(VALUE, "x" * LONG),
    "a long text of two bytes a character": text(VALUE, "é" * (LONG // 2)),
    "a text that is escaped": text(VALUE, "&" * (LONG // 5)),
    "a long signature": text("//ds:SignatureValue", "A" * LONG),
    "a long certificate": text("//ds:X509Certificate", "A" * LONG),
    "certificates": certificates,
    "signatures": signatures,
    "a long attribute": lambda root: root.set("Consent", "x" * LONG),
    "a long ID": lambda root: root.set("ID", "_" + "x" * LONG),
    "a long name": inside(".", 1, "x" * (LONG // 6)),
    "elements": inside("//saml:Assertion", 4900),
    "too many elements": inside(".", 60_000, "a"),
    "comments": lambda root: root.extend(etree.Comment("") for _ in range(30_000)),
    "IDs": different_ids,
    "attributes": inside(".", 150, **{f"a{number}": "" for number in range(64)}),
    "too many attributes": inside(".", 500, **{f"a{number}": "" for number in range(64)}),
    "too many attributes of one": inside(".", 1, **{f"a{number}": "" for number in range(25_000)}),
    "namespaces": namespaces,
    "deep": nested,
    "too deep": lambda root: root.append(etree.fromstring("<a>" * 250 + "</a>" * 250)),
}


@pytest.mark.parametrize("signs", SIGNED.values(), ids=SIGNED)
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_response_is_refused_cheaply(edit: Edit, signs: tuple[str, ...]) -> None:
    root = IdentityProvider(key="a stranger's", signs=signs).response()
    edit(root)
    data = etree.tostring(root, encoding="UTF-8")
    assert len(data) <= documents.LARGEST
    wanted = expected(certificates=[certificate(rsa_key(name)) for name in ("their last", "their next")])

    assert_cheap(lambda: service_provider.read(posted(data), wanted))


@pytest.mark.parametrize(
    "encrypt",
    [
        Encryptor(keys=["another's"] * 4),
        Encryptor(plain=lambda _: b"<a>" + b"<b/>" * 40_000 + b"</a>"),
        Encryptor(method=CBC, plain=lambda _: b"<a>" * 200 + b"x" * 150_000),
        Encryptor(method=CBC, spoil=lambda data: data * 80),
    ],
)
def test_what_is_encrypted_is_refused_cheaply(encrypt: Encryptor) -> None:
    answer = posted(IdentityProvider(encrypt=encrypt).response())
    wanted = expected(keys=[rsa_key(name) for name in ("ours before", "ours")])

    assert_cheap(lambda: service_provider.read(answer, wanted))


@pytest.mark.parametrize("size", [2 * documents.LARGEST, 1 << 20, 8 << 20])
@pytest.mark.parametrize("line", ["A" * 64, "A\n", "AAAA\r\n", "é"])
def test_megabytes_are_refused_cheaply(size: int, line: str) -> None:
    answer = line * (size // len(line))

    assert_cheap(lambda: service_provider.read(answer, expected()))


def carried(data: bytes) -> str:
    """Return a document as a query has it."""
    return quote(base64.b64encode(bindings.deflated(data)), safe="")


ALGORITHM = quote("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", safe="")
ESCAPES = "%41" * (bindings.LONGEST_QUERY // 3 - 100)
QUERIES: dict[str, str] = {
    "a bomb": f"SAMLRequest={carried(bytes(64 << 20))}",
    "a small bomb": f"SAMLRequest={carried(b'<a>' + b'<b/>' * 60_000 + b'</a>')}",
    "a bomb without an end": f"SAMLRequest={quote(base64.b64encode(bindings.deflated(bytes(64 << 20))[:-8]), safe='')}",
    "parameters": "SAMLRequest=x" + "&%41" * (bindings.LONGEST_QUERY // 4 - 10),
    "an escaped message": f"SAMLRequest={ESCAPES}",
    "an escaped algorithm": f"SAMLRequest=AAAA&SigAlg={ESCAPES}&Signature=AAAA",
    "an escaped signature": f"SAMLRequest=AAAA&SigAlg={ALGORITHM}&Signature={ESCAPES}",
    "an escaped state": f"SAMLRequest=AAAA&RelayState={ESCAPES}&SigAlg={ALGORITHM}&Signature=AAAA",
    "megabytes": "SAMLRequest=" + "A" * (8 << 20),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("may_be_unsigned", [False, True])
def test_a_query_is_refused_cheaply(query: str, may_be_unsigned: bool) -> None:
    live = [certificate(rsa_key()), certificate(rsa_key("their next")), certificate(ec_key(521))]

    assert_cheap(lambda: bindings.verified_redirect(query, live, field="SAMLRequest", may_be_unsigned=may_be_unsigned))
