"""Finds one entity in metadata of any number of them (SAML metadata 2.3), in memory that does not grow with theirs.

Reads nothing of what an entity tells but its name, and that it is an identity provider: that is
:mod:`federation.saml.metadata`. A federation's thousands are a job's to look through, and never a request's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from lxml import etree

from federation import details
from federation.saml.documents import Element
from federation.saml.rules import moment
from identity.foundation.errors import Invalid

MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
LARGEST: Final = 64 << 20
"""Bytes of a federation's metadata: five thousand entities of ten kilobytes, and some."""
LARGEST_PART: Final = 1 << 20
"""Bytes between the ends of two entities: what is in memory at once."""
MOST_ENTITIES: Final = 50_000
"""And groups of them, in a document: each costs a look, however little there is in it."""
BLOCK: Final = 1 << 16
DOCTYPE: Final = b"<!DOCTYPE"


def md(name: str) -> str:
    """Return a name of metadata as lxml reads it."""
    return f"{{{MD}}}{name}"


ENTITY, ENTITIES = md("EntityDescriptor"), md("EntitiesDescriptor")
IDP, SP = md("IDPSSODescriptor"), md("SPSSODescriptor")
"""The two roles of an entity that are looked for: identity provider and application."""


def refused(code: str, text: str, **parameters: str | int) -> Invalid:
    """Return a refusal of metadata."""
    return details.refused("MetadataFile", code, text, **parameters)


def unreadable(reason: str) -> Invalid:
    """Return the refusal of what is no document, in Amazon's words."""
    return refused("unreadable_metadata", "Unable to unmarshall metadata", reason=reason)


def find(source: BinaryIO, entity_id: str = "", *, role: str = IDP, largest: int = LARGEST) -> bytes:
    """Return the entity of a role with an entity id, or the only one, as a document of its own without comments.

    Its ``validUntil`` is the earliest of its own and of those around it. The whole document is read: one that was cut
    short is refused. Of a stranger's document lxml keeps each name for as long as the thread lives.

    Raises:
        Invalid: it is no metadata, too large, or there is not one such entity.

    """
    found = b""
    for entity in entities(source, largest):
        if entity.find(role) is None or (entity_id and entity.get("entityID") != entity_id):
            continue
        if found:
            raise several(role)
        found = alone(entity)
    if not found:
        raise missing(role)
    return found


def several(role: str) -> Invalid:
    """Return the refusal of metadata that describe more than one entity of a role."""
    if role == SP:
        return refused("several_applications", "The metadata describe several applications.")
    return refused("several_providers", "The metadata describe several identity providers.")


def missing(role: str) -> Invalid:
    """Return the refusal of metadata that describe no such entity of a role."""
    if role == SP:
        return refused("no_application", "The metadata describe no application of SAML 2.0, or several.")
    return refused("provider_not_in_metadata", "The metadata do not describe the identity provider.")


def alone(entity: Element) -> bytes:
    """Return an entity as a document, which ends when the first of those around it does. Raises as :func:`find`."""
    end = valid_until(entity, *entity.iterancestors())
    if end is not None:
        entity.set("validUntil", end.isoformat().replace("+00:00", "Z"))
    return bytes(etree.tostring(entity, encoding="UTF-8"))


def valid_until(*elements: Element) -> datetime | None:
    """Return when the first of these elements ends; None where none does. Raises as :func:`find`."""
    told = [value for each in elements if (value := each.get("validUntil")) is not None]
    found = [end for value in told if (end := moment(value)) is not None]
    if len(found) != len(told):
        raise refused("not_a_moment", "The metadata's validUntil is no moment in UTC.")
    return min(found, default=None)


def entities(source: BinaryIO, largest: int) -> Iterator[Element]:
    """Yield each entity of a document while it is there; it is gone when the next one is asked for.

    Raises:
        Invalid: it is no XML in UTF-8, has a DOCTYPE, or is too large in all or in a part.

    """
    parser = pull_parser()
    count = pending = 0
    try:
        for block in blocks(source, largest):
            parser.feed(block)
            pending += len(block)
            for _, element in parser.read_events():
                count += 1
                if {each.tag for each in element.iterancestors()} <= {ENTITIES}:
                    if element.tag == ENTITY:
                        yield element
                    forget(element)
                    pending = 0
            if count > MOST_ENTITIES:
                raise unreadable("there are too many entities")
            if pending > LARGEST_PART:
                raise unreadable("an entity is too large")
        parser.close()
    except etree.XMLSyntaxError:
        raise unreadable("not XML in UTF-8") from None


def blocks(source: BinaryIO, largest: int) -> Iterator[bytes]:
    """Yield the bytes of a document in pieces. Raises Invalid where they are too many, or have a DOCTYPE.

    A document that is read as UTF-8, whatever it says of itself, has no DOCTYPE without these very bytes.
    """
    size, last = 0, b""
    while block := source.read(BLOCK):
        size += len(block)
        if size > largest:
            raise refused("metadata_too_large", f"The metadata are larger than {largest} bytes.", most=largest)
        if DOCTYPE in last + block:
            raise unreadable("it has a DOCTYPE")
        last = block[-len(DOCTYPE) :]
        yield block


def pull_parser() -> Element:
    """Return a parser that tells of the ends of entities, fetches nothing and expands nothing.

    Comments and processing instructions are left out, and a text around one is one text.
    """
    return etree.XMLPullParser(
        events=("end",),
        tag=(ENTITY, ENTITIES),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


def forget(element: Element) -> None:
    """Take away what was read: an element's content, and what stands before it."""
    element.clear(keep_tail=True)  # the parser may be writing the text behind it
    parent = element.getparent()
    if parent is not None:
        del parent[: parent.index(element)]
