"""What a message looks like, without what it says of people: for an operator who has to see why it was refused.

Good for nothing else: nothing is checked, and nothing that is shown can be used. Values, names, signatures and keys
are left out; who sent it where, when, and by which algorithms is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from federation.saml import documents
from federation.saml.documents import Element
from identity.foundation.errors import LoginRefused

LONGEST: Final = 8000
"""Characters of what is shown."""
LONGEST_VALUE: Final = 200
LEFT_OUT: Final = "…"
TEXTS: Final = frozenset({"Issuer", "Audience", "AuthnContextClassRef"})
"""Elements whose text is no person's."""
ATTRIBUTES: Final = frozenset(
    {
        *("Version", "ID", "InResponseTo", "IssueInstant", "Destination", "Recipient", "NotBefore", "NotOnOrAfter"),
        *("AuthnInstant", "SessionNotOnOrAfter", "Method", "Algorithm", "URI", "Format", "Name", "NameFormat"),
    }
)
"""Attributes whose values are no person's; of a ``Value`` only that of a status code is kept."""


def redacted(sent: object) -> str:
    """Return a message of a form field as an operator may see it; empty where it is no document at all."""
    try:
        data = documents.posted(sent)
        if len(data) > documents.LARGEST:
            return ""
        root = etree.fromstring(data, documents.parser())
    except (LoginRefused, etree.XMLSyntaxError, ValueError):
        return ""
    shown, length = [], 0
    for line in lines(root, 0):
        shown.append(line)
        length += len(line) + 1
        if length > LONGEST:  # what comes behind is not even looked at: there may be very much of it
            break
    return "\n".join(shown)[:LONGEST]


def lines(element: Element, depth: int) -> Iterator[str]:
    """Yield an element and all in it, a line each; those within too many others are left out."""
    if not isinstance(element.tag, str) or depth > documents.DEEPEST:
        yield "  " * depth + LEFT_OUT
        return
    name = etree.QName(element).localname
    shown = "".join(f' {key}="{value}"' for key, value in attributes(element, name))
    text = (element.text or "").strip()
    own = text[:LONGEST_VALUE] if name in TEXTS else LEFT_OUT if text else ""
    yield f"{'  ' * depth}{name}{shown}{f': {own}' if own else ''}"
    for child in element:
        yield from lines(child, depth + 1)


def attributes(element: Element, name: str) -> list[tuple[str, str]]:
    """Return an element's attributes; of those that may tell of a person, that they are there.

    Of too many, that they are: to libxml2 each costs a look at all before it.
    """
    if len(element.attrib) > documents.MOST_ATTRIBUTES:
        return [(LEFT_OUT, LEFT_OUT)]
    found = []
    for key, value in element.attrib.items():
        local = etree.QName(key).localname
        is_kept = local in ATTRIBUTES or (local == "Value" and name == "StatusCode")
        found.append((local, value[:LONGEST_VALUE] if is_kept else LEFT_OUT))
    return found
