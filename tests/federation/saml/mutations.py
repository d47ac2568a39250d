"""What becomes of a message that is genuine when its bytes or its elements are changed, at random."""

from __future__ import annotations

import copy

from hypothesis import strategies as st
from lxml import etree

from tests.federation.saml.identity_provider import DS, Element, written

SOME_XML = st.sampled_from(
    [
        "<!-- -->",
        "<?p?>",
        "<![CDATA[x]]>",
        "&amp;",
        "&#65;",
        "&x;",
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        "<saml:Assertion/>",
        "<saml:NameID>mallory</saml:NameID>",
        ' ID="_1"',
        ' xml:id="_1"',
        ' xmlns:saml="urn:other"',
        ' xmlns=""',
        ' xmlns:x="rel"',
        "\r\n",
        "\u00e9",
        "\x00",
    ]
)


def mutated(message: bytes, data: st.DataObject) -> bytes:
    """Return a message that was changed in one of three ways."""
    return data.draw(st.sampled_from([replaced, flipped, moved]))(message, data)


def replaced(message: bytes, data: st.DataObject) -> bytes:
    """Return a message of which some bytes are others."""
    at = data.draw(st.integers(0, len(message)))
    put = data.draw(st.one_of(st.binary(max_size=8), SOME_XML.map(str.encode)))
    return message[:at] + put + message[at + data.draw(st.integers(0, 40)) :]


def flipped(message: bytes, data: st.DataObject) -> bytes:
    """Return a message of which some bits are others."""
    found = bytearray(message)
    flips = data.draw(st.integers(1, 255))
    for at in data.draw(st.lists(st.integers(0, len(message) - 1), min_size=1, max_size=4)):
        found[at] ^= flips
    return bytes(found)


def moved(message: bytes, data: st.DataObject) -> bytes:
    """Return a message of which some elements are others, or elsewhere."""
    root = etree.fromstring(message)
    for _ in range(data.draw(st.integers(1, 3))):
        move(root, etree.fromstring(message), data)
    return written(root)


def move(root: Element, other: Element, data: st.DataObject) -> None:
    """Do one of several things to an element of a message."""
    elements = list(root.iter())
    part = elements[data.draw(st.integers(0, len(elements) - 1))]
    place = elements[data.draw(st.integers(0, len(elements) - 1))]
    others = list(other.iter())
    stranger = copy.deepcopy(others[data.draw(st.integers(0, len(others) - 1))])
    what = data.draw(st.sampled_from(["remove", "copy", "move", "graft", "replace", "text", "attribute", "rename"]))
    if what == "remove" and part is not root:
        part.getparent().remove(part)
    elif what == "copy":
        place.append(copy.deepcopy(part))
    elif what == "move" and part not in {root, *place.iterancestors(), place}:
        place.insert(data.draw(st.integers(0, len(place))), part)
    elif what == "graft":
        place.insert(data.draw(st.integers(0, len(place))), stranger)
    elif what == "replace" and part is not root:
        part.getparent().replace(part, stranger)
    elif what == "text":
        part.text = data.draw(st.sampled_from([None, "", " ", "mallory", "true", "A" * 500, "\u00e9"]))
    elif what == "attribute":
        name = data.draw(
            st.sampled_from(["ID", "Id", "URI", "Algorithm", "Format", "Value", "{urn:x}ID", *part.attrib])
        )
        part.set(name, data.draw(st.sampled_from(["", "#", "_1", "mallory", "2026-01-01T00:00:00Z", DS])))
    elif what == "rename":
        part.tag = place.tag
