"""Writes SAML by elements, never by text: what a value holds stays that value, whatever it looks like.

A character that XML 1.0 cannot hold is refused and never left out: a value that comes out as another's is theirs.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from lxml import etree

from federation.saml.documents import LARGEST, Element
from identity.foundation.errors import DomainError


class Unwritable(DomainError):
    """A value cannot be told in a message of SAML. The detail names the part, and not the value."""

    public = "The message could not be written."


def unwritable(problem: str) -> Unwritable:
    """Return the refusal to write something, which only logs name."""
    return Unwritable(detail=f"saml writing: {problem}")


def root(name: str, namespaces: dict[str, str], /, **attributes: str) -> Element:
    """Return an element of its own, with the prefixes that all in it are written with; see :func:`put`."""
    return filled(etree.Element(name, nsmap=namespaces), "", attributes)


def put(parent: Element, name: str, text: str = "", /, **attributes: str) -> Element:
    """Add an element, named as lxml does, at the end of another, and return it. Empty attributes are left out.

    Raises:
        Unwritable: XML cannot hold a text or an attribute.

    """
    return filled(etree.SubElement(parent, name), text, attributes)


def filled(element: Element, text: str, attributes: dict[str, str]) -> Element:
    """Return an element with a text and attributes. Raises as :func:`put`."""
    try:
        element.text = text or None
        for name, value in attributes.items():
            if value:
                element.set(name, value)
    except ValueError:  # lxml refuses them all: controls, surrogates, U+FFFE and U+FFFF
        raise unwritable(f"{etree.QName(element).localname} has characters that XML does not") from None
    return element


def written(document: Element) -> bytes:
    """Return a message's bytes, in UTF-8.

    Raises:
        Unwritable: it is larger than anybody reads, we ourselves among them.

    """
    data = bytes(etree.tostring(document, encoding="UTF-8"))
    if len(data) > LARGEST:
        raise unwritable("too large")
    return data


def instant(moment: datetime) -> str:
    """Return a moment as SAML has it (SAML core 1.3.3): in UTC, and to the millisecond below."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def new_id() -> str:
    """Return an ID that nobody guesses, nor has had before (SAML core 1.3.4)."""
    return f"_{secrets.token_hex(20)}"
