"""What may be done to a message, one thing each: edits by path, for providers that are wrong and for attackers."""

from __future__ import annotations

import copy

from tests.federation.saml.identity_provider import Edit, Element, at, one, put


def then(*edits: Edit) -> Edit:
    """Return an edit that is several."""

    def edit(root: Element) -> None:
        for each in edits:
            each(root)

    return edit


def set_at(path: str, **attributes: str | int | None) -> Edit:
    """Return an edit of attributes; a number is so many seconds from then, and None takes one away."""

    def edit(root: Element) -> None:
        for name, value in attributes.items():
            if value is None:
                one(root, path).attrib.pop(name)
            else:
                one(root, path).set(name, value if isinstance(value, str) else at(value))

    return edit


def text_at(path: str, text: str | None) -> Edit:
    """Return an edit of a text."""

    def edit(root: Element) -> None:
        one(root, path).text = text

    return edit


def drop(path: str) -> Edit:
    """Return an edit that leaves a part out."""

    def edit(root: Element) -> None:
        found = one(root, path)
        found.getparent().remove(found)

    return edit


def repeat(path: str) -> Edit:
    """Return an edit that has a part twice."""

    def edit(root: Element) -> None:
        found = one(root, path)
        found.addnext(copy.deepcopy(found))

    return edit


def add(path: str, name: str, text: str | None = None, /, **attributes: str) -> Edit:
    """Return an edit that adds a part at the end."""

    def edit(root: Element) -> None:
        put(one(root, path), name, text, **attributes)

    return edit
