"""Metadata of many entities: one is found, in little memory, and a document that is not to be trusted costs nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from lxml import etree

from federation.saml import aggregates, metadata
from identity.foundation.errors import Invalid
from tests.federation.saml.identity_provider import MD, Element
from tests.federation.saml.test_documents import BILLION

ENTITY = """
  <!-- of {name} -->
  <m:EntityDescriptor entityID="https://{name}.example"{more}>
    <m:Extensions><x:kept xmlns:x="urn:x">a<!-- comment -->b</x:kept></m:Extensions>
    <m:{role} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/>
  </m:EntityDescriptor>
"""
NOT_XML = "not XML in UTF-8"
DOCTYPE = "it has a DOCTYPE"


def entity(name: str, more: str = "", role: str = "IDPSSODescriptor") -> str:
    """Return an entity."""
    return ENTITY.format(name=name, more=more, role=role)


def several(*inside: str, more: str = "") -> str:
    """Return what holds several entities."""
    return f'<m:EntitiesDescriptor xmlns:m="{MD}" xmlns:f="urn:f"{more}>{"".join(inside)}</m:EntitiesDescriptor>'


def find(text: str, name: str = "") -> Element:
    """Return an entity that was found."""
    return etree.fromstring(aggregates.find(io.BytesIO(text.encode()), name and f"https://{name}.example"))


def refusal(data: str | bytes, name: str = "") -> tuple[str, str]:
    """Return the code and the reason of a refusal."""
    with pytest.raises(Invalid) as caught:
        aggregates.find(io.BytesIO(data if isinstance(data, bytes) else data.encode()), name)
    assert caught.value.field == "provider_details.MetadataFile"
    return caught.value.code, str(caught.value.parameters.get("reason", ""))


FEDERATION = several(entity("a"), several(entity("b"), several(), entity("c")), entity("d", role="SPSSODescriptor"))


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_one_entity_is_found_by_its_name(name: str) -> None:
    found = find(FEDERATION, name)

    assert found.get("entityID") == f"https://{name}.example"
    assert found.findtext(".//{urn:x}kept") == "ab"
    assert found.nsmap["f"] == "urn:f"
    assert len(found) == 2


@pytest.mark.parametrize(
    "text",
    [
        several(entity("a")),
        several(entity("d", role="SPSSODescriptor"), several(entity("a"))),
        entity("a").replace("<m:EntityDescriptor", f'<m:EntityDescriptor xmlns:m="{MD}"').strip(),
    ],
)
def test_the_only_identity_provider_needs_no_name(text: str) -> None:
    assert find(text).get("entityID") == "https://a.example"
    assert find(text, "a").get("entityID") == "https://a.example"


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        (FEDERATION, "", "several_providers"),
        (several(entity("a"), entity("a")), "https://a.example", "several_providers"),
        (FEDERATION, "https://z.example", "provider_not_in_metadata"),
        (FEDERATION, "https://d.example", "provider_not_in_metadata"),
        (FEDERATION, "https://A.example", "provider_not_in_metadata"),
        (several(), "", "provider_not_in_metadata"),
        ("<a/>", "", "provider_not_in_metadata"),
        (f"<a>{several(entity('a'))}</a>", "", "provider_not_in_metadata"),
        (FEDERATION.replace(MD, "urn:other"), "https://a.example", "provider_not_in_metadata"),
        (several(entity("a", ' validUntil="tomorrow"')), "", "not_a_moment"),
    ],
)
def test_one_that_is_not_there_once_is_refused(text: str, name: str, code: str) -> None:
    assert refusal(text, name) == (code, "")


def test_an_entity_inside_another_is_none() -> None:
    inner = entity("b")
    text = several(entity("a").replace("<m:Extensions>", f"<m:Extensions>{inner}"))

    assert find(text, "a").find(f".//{{{MD}}}EntityDescriptor") is not None
    assert refusal(text, "https://b.example") == ("provider_not_in_metadata", "")


@pytest.mark.parametrize(
    ("ends", "end"),
    [
        (["2041-01-01T00:00:00Z", "2042-01-01T00:00:00Z", "2043-01-01T00:00:00Z"], "2041-01-01T00:00:00Z"),
        (["2042-01-01T00:00:00Z", "2041-01-01T00:00:00Z", "2043-01-01T00:00:00Z"], "2041-01-01T00:00:00Z"),
        (["2042-01-01T00:00:00Z", "2043-01-01T00:00:00Z", "2041-01-01T00:00:00.25Z"], "2041-01-01T00:00:00.250000Z"),
        (["", "2041-01-01T00:00:00Z", ""], "2041-01-01T00:00:00Z"),
        (["", "", ""], None),
    ],
)
def test_an_entity_ends_with_those_around_it(ends: list[str], end: str | None) -> None:
    outer, middle, inner = (f' validUntil="{each}"' if each else "" for each in ends)

    assert find(several(several(entity("a", inner), more=middle), more=outer)).get("validUntil") == end


def test_metadata_of_several_are_read_by_name() -> None:
    with pytest.raises(Invalid) as caught:
        metadata.read(FEDERATION.encode(), entity_id="https://b.example")

    assert caught.value.code == "no_sso_url"


# -- what nobody wrote for people ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "latin-1"]
)
@pytest.mark.parametrize(
    "xml",
    [
        BILLION,
        BILLION.replace("<a>&b9;</a>", "<a b='&b9;'/>"),
        '<!DOCTYPE a SYSTEM "{}"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "{}">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "{}">%x;]><a/>',
        '<!DOCTYPE a [<!ATTLIST a ID CDATA "default">]><a/>',
    ],
    ids=["entities", "entities in an attribute", "DTD", "file", "parameter", "default"],
)
def test_no_doctype_is_read_whatever_it_is_written_in(tmp_path: Path, encoding: str, xml: str) -> None:
    (tmp_path / "secret").write_text("no DTD: whoever reads this says so")
    text = xml.replace("{}", f"file://{tmp_path}/secret")

    data = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)

    assert refusal(data) in {("unreadable_metadata", DOCTYPE), ("unreadable_metadata", NOT_XML)}


@pytest.mark.parametrize("before", range(aggregates.BLOCK - 12, aggregates.BLOCK + 2))
def test_a_doctype_is_found_wherever_blocks_end(before: int) -> None:
    assert refusal(b" " * before + b"<!DOCTYPE a><a/>")[1] in {DOCTYPE, NOT_XML}
    assert refusal(b"<!--" + b"-" * (before - 4) + b"<!DOCTYPE a>")[1] in {DOCTYPE, NOT_XML}
    comment = b"<!--" + b" " * (before - 7) + b"-->"
    assert refusal(comment + b"<!DOCTYPE a><a/>") == ("unreadable_metadata", DOCTYPE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        several(entity("a"))[:-1],
        several(entity("a")) + "<a/>",
        several("&x;"),
        several("<x:a/>"),
        "<a>" * 9999,
    ],
)
def test_what_is_no_xml_is_refused(text: str) -> None:
    assert refusal(text) == ("unreadable_metadata", NOT_XML)


def test_a_document_has_a_largest_size() -> None:
    data = several(entity("a")).encode()

    aggregates.find(io.BytesIO(data), largest=len(data))
    with pytest.raises(Invalid) as caught:
        aggregates.find(io.BytesIO(data), largest=len(data) - 1)

    assert caught.value.code == "metadata_too_large"


@pytest.mark.parametrize("inside", ["<a/>" * 300_000, "x" * (1 << 21), "<a>" * 100 + "x" * (1 << 21)])
def test_an_entity_has_a_largest_size(inside: str) -> None:
    text = several(entity("a").replace("<m:Extensions>", f"<m:Extensions>{inside}"))

    assert refusal(text) == ("unreadable_metadata", "an entity is too large")


def test_a_document_has_a_largest_number_of_entities() -> None:
    text = several("<m:EntityDescriptor/>" * 53_000)

    assert refusal(text) == ("unreadable_metadata", "there are too many entities")


def test_thousands_of_entities_are_gone_when_the_next_is_read() -> None:
    text = several(*(entity(f"e{number}", f' ID="_{"x" * 1000}"') for number in range(1000)))

    alive = [len(each.getparent()) for each in aggregates.entities(io.BytesIO(text.encode()), aggregates.LARGEST)]

    # A block is parsed at once: there are those that end in it, and one before them.
    assert len(alive) == 1000
    assert max(alive) < 60
