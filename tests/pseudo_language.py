"""A language of tests alone: every translated text comes back in marks, so that one that is not translated shows.

It takes the place of Arabic, which is written from right to left.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest
from django.utils.translation import trans_real
from pytest_django import Settings

TAG = "ar"
OPEN, CLOSE = "⟦", "⟧"
DATA = {"code", "pre", "kbd", "bdi", "script", "style"}
"""Elements whose text is nobody's words: ids, names, code."""
SPOKEN = {
    "alt",
    "aria-label",
    "placeholder",
    "title",
    "data-working",
    "data-copy-label",
    "data-copied",
    "data-selected",
    "data-close-note",
}
"""Attributes that people read or hear."""
VOID = {"br", "img", "input", "link", "meta", "hr", "circle", "path", "rect"}
ADDRESS = re.compile(r"\S+@\S+|https?://\S*")
LETTERS = re.compile(r"[^\W\d_]{2,}")


class Marked(trans_real.DjangoTranslation):
    """A catalogue that has every text there is."""

    def gettext(self, message: str) -> str:
        """Return the text in marks, without its context."""
        return f"{OPEN}{message.rpartition(trans_real.CONTEXT_SEPARATOR)[2]}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return one of both in marks."""
        return self.gettext(msgid1 if n == 1 else msgid2)


@contextmanager
def offered(settings: Settings) -> Iterator[None]:
    """Offer it beside English."""
    settings.LANGUAGES = [("en", "English"), (TAG, "Marks")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(trans_real._translations, TAG, Marked(TAG))  # type: ignore[attr-defined]
        yield


def unmarked(text: str) -> str:
    """Return what stands outside all marks."""
    depth, found = 0, []
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        if depth == 0 and character != CLOSE:
            found.append(character)
    assert depth == 0, text
    return "".join(found)


class _Reader(HTMLParser):
    """Collects what a page shows: its running text without data, and each attribute that is read out."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.text: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes += [value for name, value in attrs if name in SPOKEN and value]
        if tag not in VOID:
            self.inside.append("pre" if given.get("autocomplete") == "country" else tag)
        self.text.append("\n" if not DATA & set(self.inside) else "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        self.inside.pop()
        self.text.append("\n" if not DATA & set(self.inside) else "")

    def handle_data(self, data: str) -> None:
        if not DATA & set(self.inside):
            self.text.append(data)


def untranslated(page: str, data: Collection[str] = ()) -> list[str]:
    """Return the words of a page that are neither translated nor ``data``: names, addresses, what somebody typed."""
    reader = _Reader()
    reader.feed(page)
    texts = [*unmarked("".join(reader.text)).splitlines(), *map(unmarked, reader.attributes)]
    known = sorted(data, key=len, reverse=True)
    return [text.strip() for text in texts if LETTERS.search(_without(text, known))]


def _without(text: str, data: Collection[str]) -> str:
    for name in data:
        text = text.replace(name, "")
    return ADDRESS.sub("", text)
