"""A page as anybody may see it, in light and dark, on a narrow phone and a desk: what axe finds, and what does not fit.

Which pages are looked at, and what else is asked of them, is the tests'.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page, ViewportSize

AXE = AXE_FILE_PATH.read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that a dark page may break and a light one not: in the stylesheets ``light-dark()`` alone tells the two
apart, and gives colours."""
PHONE: ViewportSize = {"width": 320, "height": 640}
DESK: ViewportSize = {"width": 1280, "height": 800}
LOOK = """async (only) => {
  const needless = { selectors: false, preload: false, performanceTimer: false };
  const found = await axe.run({ runOnly: only, resultTypes: ["violations"], ...needless });
  const faults = found.violations.map((fault) => `${fault.id}: ${fault.nodes[0].html.slice(0, 200)}`);
  return [found.passes.length, faults, document.documentElement.scrollWidth, innerWidth];
}"""
"""Runs axe, and gives no more of what it found than is asked: the whole takes longer to bring here than to find."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def looks(page: Page) -> Iterator[str]:
    """Show the present page in each of its looks, say which it is, and leave the window as it was."""
    page.evaluate(AXE)
    before = page.viewport_size
    assert before
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour half-way to the next
        for window in (PHONE, DESK):
            page.set_viewport_size(window)
            yield f"{page.url} ({scheme}, {window['width']})"
    page.set_viewport_size(before)


def faults(page: Page) -> list[str]:
    """Return the faults of a page as one of :func:`looks` shows it."""
    is_dark = page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    asked = {"type": "rule", "values": COLOURS} if is_dark else {"type": "tag", "values": RULES}
    passed, found, room, window = page.evaluate(LOOK, asked)
    assert passed, "axe looked at nothing"
    wide = [] if room <= window else [f"scrolls sideways: {room} in {window}"]
    return [*wide, *found]
