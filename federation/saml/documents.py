"""XML that nobody trusts yet: how a browser carries it, and what it may look like at all.

Says nothing of who wrote it, nor of what it means. Whatever is wrong, there is one outcome: LoginRefused with the name
of the rule.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from lxml import etree

from federation.refusals import forged

Element: TypeAlias = Any
"""An element of lxml, which has no types."""

LARGEST: Final = 256 * 1024
"""Bytes of a message."""
DEEPEST: Final = 32
"""Elements within one another. Signatures go to 8, encrypted keys to 10, structured values of attributes beyond."""
MOST_ELEMENTS: Final = 5000
MOST_ATTRIBUTES: Final = 64
"""Of one element: looking at each costs libxml2 a look at all before it."""
MOST_ATTRIBUTES_IN_ALL: Final = 2 * MOST_ELEMENTS
"""A value of SAML has one, which tells its type; an attribute of SAML has three."""
MOST_NAMESPACES: Final = 100
"""Declarations in scope at one place: canonicalization looks through them at each element."""
NAME = re.compile(r"[^\W\d][\w.\-]{0,1023}")
"""An xs:ID, as all read it: begins with a letter or ``_``, and holds no colon."""
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
ENCODINGS = frozenset({"", "UTF-8", "UTF8", "ASCII", "US-ASCII"})


def posted(text: object) -> bytes:
    """Return the document in a form field (SAML bindings 3.5.4). Raises LoginRefused."""
    return unarmoured(text)


def redirected(text: object) -> bytes:
    """Return the document in a query parameter (SAML bindings 3.4.4.1). Raises LoginRefused."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(unarmoured(text), LARGEST + 1)
    except zlib.error:
        raise forged("saml document: not deflated") from None
    if len(found) > LARGEST:
        raise forged("saml document: too large")
    if not inflate.eof or inflate.unused_data:
        raise forged("saml document: not deflated")
    return found


def unarmoured(text: object) -> bytes:
    """Return what strict base64 holds, which may come in lines. Raises LoginRefused."""
    if not isinstance(text, str) or not text:
        raise forged("saml document: none in the answer")
    if len(text) > 2 * LARGEST:
        raise forged("saml document: too large")
    joined = text.replace("\r", "").replace("\n", "")  # RFC 2045 6.8 puts these between lines; a pattern takes 60 ms
    try:
        found = base64.b64decode(joined.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise forged("saml document: not base64") from None
    if base64.b64encode(found).decode() != joined:  # bits behind the end, which some ignore
        raise forged("saml document: not base64")
    return found


def parse(data: bytes) -> Element:
    """Return the root of a document that keeps :data:`RULES`.

    Raises:
        LoginRefused: it does not, or is no XML; the detail names the rule.

    """
    if len(data) > LARGEST:
        raise forged("saml document: too large")
    try:
        data.decode("utf-8")
    except UnicodeError:
        raise forged("saml document: not UTF-8") from None
    try:
        root = etree.fromstring(data, parser())
    except Exception as problem:  # noqa: BLE001 - whatever a parser makes of a stranger's bytes is a refusal
        raise forged(f"saml document: not XML ({type(problem).__name__})") from None
    for name, is_broken in RULES.items():
        if is_broken(root):
            raise forged(f"saml document: {name}")
    return root


def parser() -> Element:
    """Return a parser that fetches nothing and expands nothing. One for each document: threads share none.

    ``collect_ids=False`` is not asked for: with it, lxml 6.1 reads the file that a DOCTYPE names, whatever else it is
    told.
    """
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_blank_text=False,
        remove_comments=False,
        remove_pis=False,
    )


# -- what a document may not have ------------------------------------------------------------------------------------


def has_other_encoding(root: Element) -> bool:
    """Say whether a document declares an encoding in which its bytes would be other characters."""
    return (root.getroottree().docinfo.encoding or "").upper() not in ENCODINGS


def has_doctype(root: Element) -> bool:
    """Say whether a document has a DOCTYPE: nothing of SAML needs one, and entities come from there."""
    about = root.getroottree().docinfo
    return about.internalDTD is not None or about.externalDTD is not None or bool(about.doctype)


def has_other_nodes(root: Element) -> bool:
    """Say whether there are comments, processing instructions or entities, before and behind the root too.

    A text with a comment inside is one text to some readers and its first half to others.
    """
    around = [*root.itersiblings(preceding=True), *root.itersiblings()]
    return bool(around) or any(not isinstance(node.tag, str) for node in root.iter())


def is_too_deep(root: Element) -> bool:
    """Say whether elements, and comments, are nested beyond :data:`DEEPEST`, or there are too many of them."""
    layer = [root]
    depth = count = 0
    while layer:
        depth, count = depth + 1, count + len(layer)
        if depth > DEEPEST or count > MOST_ELEMENTS:
            return True
        children = (child for element in layer for child in element)
        layer = list(islice(children, MOST_ELEMENTS + 1))
    return False


def is_too_wide(root: Element) -> bool:
    """Say whether an element has more attributes than :data:`MOST_ATTRIBUTES`."""
    return any(len(element.attrib) > MOST_ATTRIBUTES for element in root.iter())


def has_too_many_attributes(root: Element) -> bool:
    """Say whether elements have more attributes together than :data:`MOST_ATTRIBUTES_IN_ALL`."""
    return sum(len(element.attrib) for element in root.iter()) > MOST_ATTRIBUTES_IN_ALL


def has_odd_namespaces(root: Element) -> bool:
    """Say whether namespaces are relative, which nobody can canonicalize (XML Signature 2.0, 4.1), or too many."""
    seen: dict[str | None, str] = {}
    declared = 0
    for _, (prefix, uri) in etree.iterwalk(root, events=("start-ns",)):
        declared += seen.get(prefix) != uri
        seen[prefix] = uri
        if declared > MOST_NAMESPACES or (uri and not ABSOLUTE.match(uri)):
            return True
    return False


def has_odd_ids(root: Element) -> bool:
    """Say whether an ID is in a namespace, or no name."""
    return any(namespaced or not NAME.fullmatch(value) for namespaced, value in ids(root))


def has_id_twice(root: Element) -> bool:
    """Say whether two elements have one ID, whichever way they spell the attribute."""
    found = [value for _, value in ids(root)]
    return len(found) != len(set(found))


def ids(root: Element) -> Iterator[tuple[bool, str]]:
    """Yield all that somebody might take for an ID, and whether it is in a namespace."""
    for element in root.iter():
        for name, value in element.attrib.items():
            namespace, _, local = name.rpartition("}")
            if local.lower() == "id":
                yield bool(namespace), value


RULES: Mapping[str, Callable[[Element], bool]] = {
    "it has a DOCTYPE": has_doctype,
    "its encoding is not UTF-8": has_other_encoding,
    "it is too deep": is_too_deep,
    "it has comments or processing instructions": has_other_nodes,
    "an element has too many attributes": is_too_wide,
    "it has too many attributes": has_too_many_attributes,
    "its namespaces are relative or too many": has_odd_namespaces,
    "an ID is no name, or in a namespace": has_odd_ids,
    "an ID is there twice": has_id_twice,
}
"""What breaks a rule, by what the refusal says. Later ones look at more, which earlier ones keep small."""
