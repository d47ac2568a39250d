"""Pressing what leads to another page, and waiting until that page is there.

Playwright's own click may return before the next page has taken the place of the present one, and a look that follows
at once then sees the one that goes. What stays on its page, or is followed by a look that waits, needs none of this.
"""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def press(found: Locator) -> None:
    """Press a link or a button, and wait for the page that it leads to."""
    with found.page.expect_navigation():
        found.click()


def submit(page: Page, **typed: str) -> None:
    """Fill in fields by id, press the form's button, and wait for the page that it leads to."""
    for name, value in typed.items():
        page.fill(f"#{name}", value)
    press(page.locator("form.main button[type=submit]"))
