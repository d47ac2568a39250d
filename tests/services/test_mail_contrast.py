"""Each text of a mail can be read on what is behind it, in light and dark (WCAG 2.2, 1.4.3): reckoned from the HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from unittest.mock import patch

import pytest

from pools.models import AppClient, UserPool
from pools.services.messages import styles, texts
from pools.services.messages.texts import Change, Composed
from pools.services.pools import pool_domains

LEAST = 4.5
VOID = {"meta", "link", "br", "img", "input", "hr"}
COLOUR = re.compile(r"(background-color|color)\s*:\s*(#[0-9a-f]{6})", re.IGNORECASE)
DARK = re.compile(r"@media \(prefers-color-scheme: dark\)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
POOL, APP = UserPool(public_id="us-east-1_abcdefghi", name="internal"), AppClient(client_id="c" * 26, name="Photos")


def mails() -> dict[str, Composed]:
    """Return one mail of each kind. Where the pool answers is asked of no database: tests are collected by kind."""
    with patch.object(pool_domains, "address", return_value="https://id.example.com"):
        return composed()


def composed() -> dict[str, Composed]:
    """Return them, as they are delivered."""
    codes = {kind: texts.mail(POOL, kind, secret="123456", username="ann", app="Photos") for kind in texts.WORDS}
    notices = {kind.value: texts.notice(POOL, kind, client_id=APP.client_id, app="Photos") for kind in Change}
    link = texts.mail(POOL, "sign_up", secret="123456", link="https://a.example/", app="")
    found = {**codes, **notices, "link": link, "reminder": texts.reminder(POOL, APP)}
    return {kind: replace(mail, html=styles.inlined(mail.html, pool="")) for kind, mail in found.items()}


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


class Painted(HTMLParser):
    """Reads which colours each text of a mail has, under one colour scheme."""

    def __init__(self, text: str, *, dark: bool) -> None:
        """Read it."""
        super().__init__()
        found = DARK.search(text)
        assert found
        self.rules: list[tuple[str, dict[str, str]]] = []
        if dark:
            for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", found[1]):
                self.rules += [(each.strip(), dict(COLOUR.findall(body))) for each in selectors.split(",")]
        self.open: list[tuple[str, dict[str, str]]] = [("", {"color": "#000000", "background-color": "#ffffff"})]
        self.pairs: dict[tuple[str, str], str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add its colours to those it stands in."""
        given = {name: value or "" for name, value in attrs}
        own = {**({"background-color": given["bgcolor"]} if "bgcolor" in given else {})}
        own |= {name.lower(): value for name, value in COLOUR.findall(given.get("style", ""))}
        for selector, colours in self.rules:
            if selector == tag or selector.removeprefix(".") in given.get("class", "").split():
                own |= colours
        if "display: none" in given.get("style", ""):
            tag = "hidden"
        if tag not in VOID:
            self.open.append((tag, {**self.open[-1][1], **own}))

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        while len(self.open) > 1 and self.open.pop()[0] not in {tag, "hidden"}:
            pass

    def handle_data(self, data: str) -> None:
        """Note a text's colours."""
        hidden = {tag for tag, _ in self.open} & {"style", "title", "head", "hidden"}
        if data.strip() and not hidden:
            colours = self.open[-1][1]
            self.pairs.setdefault((colours["color"], colours["background-color"]), data.strip())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_of_every_mail_can_be_read(*, dark: bool) -> None:
    faint: dict[str, float] = {}
    for kind, mail in mails().items():
        pairs = Painted(mail.html, dark=dark).pairs
        assert len(pairs) >= 3
        faint |= {f"{kind}: {said}": contrast(*pair) for pair, said in pairs.items() if contrast(*pair) < LEAST}

    assert faint == {}


def test_the_reckoning_knows_what_is_faint() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21
    assert contrast("#6b7280", "#f3f4f6") < LEAST  # what mails once ended with
    rule = "@media (prefers-color-scheme: dark) { .x { color: #777777 } }"
    page = f"<style>{rule}</style><p class='x' bgcolor='#777777'>a</p>"
    assert list(Painted(page, dark=True).pairs) == [("#777777", "#777777")]


@pytest.mark.parametrize("kind", mails())
def test_a_mail_names_the_app_and_never_the_pool(kind: str) -> None:
    mail = mails()[kind]

    for text in (mail.subject, mail.text, mail.html):
        assert "internal" not in text
    assert ("Photos" in mail.html) == (kind != "link")
